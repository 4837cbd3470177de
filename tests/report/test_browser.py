"""The page in a real Chromium: widths, languages, themes, paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.screenshot import Browser, browser, find_chromium

from tests.report.conftest import Made, make_report
from tests.report.made_run import make_run
from tests.report.test_hostile import hostile as hostile

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium on this machine: install the package `chromium` to look at the page")
    with browser(chromium) as opened:
        yield opened


def overflow(tab: Browser) -> int:
    return int(tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def shown(tab: Browser, selector: str) -> bool:
    return bool(tab.evaluate(f"document.querySelector({selector!r}).checkVisibility()"))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(tab: Browser, whole: Made, width: int, language: str) -> None:
    tab.open(whole.folder / "report.html", width=width)
    tab.choose_language(language)
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert overflow(tab) == 0


def test_hostile_data_overflows_nothing_and_runs_nothing(tab: Browser, hostile: Path, tmp_path: Path) -> None:
    made = make_report(tmp_path / "report", run=hostile, title="T" * 300)
    tab.messages.clear()
    tab.open(made.folder / "report.html", width=390)
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert overflow(tab) == 0
    assert tab.messages == []


def test_the_console_stays_silent(tab: Browser, whole: Made) -> None:
    tab.messages.clear()
    tab.open(whole.folder / "report.html", width=1280)
    assert tab.messages == []


def test_the_switch_changes_the_language_without_a_script(tab: Browser, whole: Made) -> None:
    tab.open(whole.folder / "report.html", width=1280)
    assert (shown(tab, "h1 .en"), shown(tab, "h1 .zh")) == (True, False)
    tab.choose_language("zh")
    assert (shown(tab, "h1 .en"), shown(tab, "h1 .zh")) == (False, True)
    assert shown(tab, "svg text.zh")


def test_dark_and_light_differ(tab: Browser, whole: Made) -> None:
    colours = []
    for dark in (False, True):
        tab.open(whole.folder / "report.html", width=1280, dark=dark)
        colours.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(250, 249, 247)", "rgb(20, 23, 26)"]


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(tab: Browser, whole: Made, dark: bool) -> None:
    tab.open(whole.folder / "report.html", width=1280, dark=dark)
    ratios = tab.evaluate(CONTRAST)
    assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}


def test_charts_keep_their_text_size_on_a_phone(tab: Browser, whole: Made) -> None:
    tab.open(whole.folder / "report.html", width=390)
    height = tab.evaluate("document.querySelector('.line-chart .tick').getBoundingClientRect().height")
    assert height >= 11


def test_no_chart_label_leaves_the_page(tab: Browser, whole: Made) -> None:
    for width in (390, 1280):
        tab.open(whole.folder / "report.html", width=width)
        outside = tab.evaluate(
            "[...document.querySelectorAll('.plot text')].filter(one => one.checkVisibility()).map(one => "
            "one.getBoundingClientRect()).filter(box => box.left < 0 || box.right > innerWidth).length"
        )
        assert outside == 0


def test_it_prints_on_a4_and_shows_the_folded_definitions(tab: Browser, tmp_path: Path) -> None:
    made = make_report(tmp_path / "report", run=make_run(tmp_path / "run"), language="zh")
    tab.open(made.folder / "report.html", width=1280)
    content = tab.pdf()
    assert content.startswith(b"%PDF")
    assert b"/MediaBox [0 0 594.95996 841.91998]" in content or b"/MediaBox [0 0 595" in content
    assert 5 <= content.count(b"/Type /Page\n") <= 20


# WCAG contrast of visible text with its nearest opaque ground, by class.
CONTRAST = """(() => {
  const channels = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(v => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = one => {
    for (let at = one; at; at = at.parentElement) {
      const found = channels(getComputedStyle(at).backgroundColor);
      if (found.length && (found.length < 4 || found[3] > .9)) return found;
    }
    return [255, 255, 255];
  };
  const result = {};
  for (const name of ['body', '.note', '.empty', '.count', '.between', '.badge', '.where', '.stamp',
      '.axis-name', '.tick', '.outcome-line .win', '.outcome-line .loss', 'mark', '.change.gain', '.change.drop', 'dt',
      'footer', 'nav a', 'summary']) {
    const one = document.querySelector(name);
    if (!one) continue;
    const style = getComputedStyle(one), ink = light(channels(one.closest('svg') ? style.fill : style.color));
    const paper = light(ground(one));
    result[name] = (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05);
  }
  return result;
})()"""
