"""The fine-tuning form in a real browser: wrong values as typed, YAML both ways, a name for it, one job."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.screenshot import Browser

from metier.workbench.workbench import Workbench
from tests.faults.children import give_data, give_model
from tests.support.bench import PASSWORD

AXE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def form(served: str, tab: Browser, workbench: Workbench, tiny_model: Path) -> Browser:
    """The form, opened by somebody with a set and a saved recipe whose name is hostile."""
    give_model(tiny_model)
    tab.open(served + "/", width=1440)
    tab.fill("[name=name]", "li")
    tab.fill("[name=password]", PASSWORD)
    tab.submit(".fields button")
    owner = workbench.accounts.sign_in("li", PASSWORD)
    person = workbench.accounts.person_of_token(owner)
    assert person is not None
    give_data(workbench, person)
    workbench.recipes.save(person, HOSTILE, "train", {"dataset": "cases", "model_name_or_path": "tiny", "lora_rank": 3})
    tab.open(served + "/fine-tune?dataset=cases&model=tiny", width=1440)
    return tab


def value(tab: Browser, key: str) -> str:
    return str(tab.evaluate(f"document.querySelector('[data-at=\"{key}\"]').value"))


def serious(tab: Browser) -> list[str]:
    """What axe finds on the page as it is now."""
    tab.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
    found: list[str] = tab.evaluate(
        "axe.run().then((all) => all.violations.filter((one) => ['serious', 'critical'].includes(one.impact))"
        ".map((one) => one.id + ' ' + one.nodes.map((node) => node.target).join(' ')))"
    )
    return found


@pytest.mark.slow
def test_wrong_values_are_marked_as_typed_and_a_whole_one_becomes_one_job(
    form: Browser, served: str, workbench: Workbench
) -> None:
    yaml = "document.getElementById('tune-yaml').value"
    form.wait_for(f"{yaml}.includes('train: cases')")
    assert value(form, "data.test_rows") == "8"
    form.fill("[data-at='train.learning_rate']", "fast")
    form.fill("[data-at='train.weight_decay']", "-1")
    form.wait_for("document.querySelectorAll('[aria-invalid=true]').length === 2")
    assert "number" in form.evaluate("document.getElementById('wrong-train.learning_rate').textContent")
    assert "1" in form.evaluate("document.querySelector('[data-group=optimiser] [data-wrong-in]').textContent")
    form.fill("[data-at='train.learning_rate']", "3e-4")
    form.fill("[data-at='train.weight_decay']", "")
    form.wait_for(f"!document.querySelector('[aria-invalid]') && {yaml}.includes('learning_rate: 0.0003')")
    form.fill("#tune-notify", "gopher://x")
    form.click("#tune-start")
    form.wait_for("document.getElementById('tune-notify').getAttribute('aria-invalid') === 'true'")
    form.fill("#tune-notify", "")
    form.messages.clear()  # that refusal
    form.evaluate("const start = document.getElementById('tune-start'); start.click(); start.click()")
    form.wait_for("location.pathname.startsWith('/runs/')")
    jobs = form.evaluate("fetch('/api/v1/jobs').then((answer) => answer.json())")
    assert jobs["total"] == 1
    work = jobs["jobs"][0]["work"]
    assert (work["train"]["learning_rate"], work["data"]["train"], work["data"]["test_rows"]) == (3e-4, "cases", 8)
    assert [one for one in form.requests if not one.startswith((served, "data:"))] == []
    assert form.messages == []


@pytest.mark.slow
def test_all_that_is_wrong_stays_marked_after_a_start_and_the_side_says_so(form: Browser) -> None:
    marks = "[...document.querySelectorAll('#tune .wrong[data-wrong]')].map((one) => one.textContent).filter(Boolean)"
    form.wait_for("document.querySelector('#tune-plan .figures')", 60)
    form.fill("[data-at='train.learning_rate']", "abc")
    form.fill("[data-at='cutoff_len']", "3")
    form.wait_for(f"{marks}.length === 2")
    before = form.evaluate(marks)
    assert form.evaluate("document.getElementById('tune-correct').textContent") == "Correct 2 values first."
    assert form.evaluate("document.getElementById('tune-plan').inert") is True
    assert form.evaluate("document.getElementById('tune-start').getAttribute('aria-disabled')") == "true"
    form.evaluate("document.getElementById('tune').requestSubmit()")
    form.wait_for("document.activeElement.dataset.at && !document.getElementById('tune-start').disabled")
    assert form.evaluate(marks) == before
    assert serious(form) == []
    form.fill("[data-at='train.learning_rate']", "")
    form.fill("[data-at='cutoff_len']", "64")
    form.wait_for("document.getElementById('tune-correct').classList.contains('hidden')")
    assert form.evaluate("document.querySelectorAll('.tune-old').length") == 0
    assert form.messages == []


@pytest.mark.slow
def test_a_form_begins_with_the_newest_own_set_which_the_other_kind_keeps(form: Browser, served: str) -> None:
    form.open(served + "/fine-tune", width=1440)
    chosen = "[document.getElementById('tune-preset').value, document.querySelector('[data-set]').value]"
    assert form.evaluate(chosen) == ["preset=none", "cases"]
    form.fill("[data-at='train.lora_rank']", "7")
    form.evaluate("document.querySelector('[data-kind-link=train]').click()")
    form.wait_for(
        "document.querySelector('#tune')?.dataset.kind === 'train' && document.querySelector('[data-set]')?.value"
    )
    assert form.evaluate(chosen) == ["preset=none", "cases"]
    assert form.messages == []


@pytest.mark.slow
def test_yaml_goes_both_ways_and_a_recipe_is_kept_under_a_name(form: Browser, served: str) -> None:
    form.wait_for("document.getElementById('tune-yaml').value.includes('train: cases')")
    text = "name: other\nmodel_name_or_path: tiny\ncutoff_len: 64\ndata: {train: cases, test_rows: 8, guard: null}\n"
    text += "train: {lora_rank: 5}\n"
    form.fill("#tune-yaml", text)
    form.click("#tune-apply")
    form.wait_for("document.querySelector('[data-at=\"train.lora_rank\"]').value === '5'")
    assert (value(form, "cutoff_len"), value(form, "data.guard")) == ("64", "")
    form.wait_for("document.getElementById('tune-yaml').value.includes('guard: null')")
    form.click("#tune-save")
    form.fill("#tune-name-field", "知识")
    form.click("#tune-name-yes")
    form.wait_for("location.search.startsWith('?recipe=') && !!document.querySelector('.tune-saved')", 40)
    assert value(form, "train.lora_rank") == "5"
    names = form.evaluate("[...document.querySelectorAll('.tune-saved a')].map((one) => one.textContent)")
    assert sorted(names) == sorted([HOSTILE, "知识"])
    form.evaluate("[...document.querySelectorAll('.tune-saved a')].find((a) => a.textContent.startsWith('<')).click()")
    form.wait_for("document.querySelector('#tune')?.dataset.kind === 'train'")
    assert value(form, "lora_rank") == "3"
    assert form.messages == []


@pytest.mark.slow
def test_the_form_is_usable_on_a_phone_and_with_a_screen_reader(form: Browser, served: str) -> None:
    form.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
    assert serious(form) == []
    form.open(served + "/fine-tune", width=390)
    assert form.evaluate("document.documentElement.scrollWidth") <= 390
