from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from metier.report.tidy import tidy, visible
from tests.report.conftest import Report
from tests.report.test_page import Elements

HOSTILE = (
    "<script>alert(1)</script></style></details>\"'><img src=x onerror=alert(2)> \u202etxet desrever\u202c"
    " \x00 \ud800 \x1b[31m {{7*7}} {% raw %} {name} &lt; " + "W" * 4000
)


def poisoned(value: Any) -> Any:
    """The same shape with each string that a person could have written replaced."""
    if isinstance(value, dict):
        return {key: one if key in ("outcome", "event", "time") else poisoned(one) for key, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one) for one in value]
    return HOSTILE if isinstance(value, str) else value


@pytest.fixture
def hostile(run: Path) -> Path:
    for path in run.rglob("*.json"):
        path.write_text(json.dumps(poisoned(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    (run / "recipe.yaml").write_text("name: <script>alert(1)</script>\u202e", encoding="utf-8")
    return run


def test_hostile_words_stay_words(report: Report, hostile: Path) -> None:
    words = HOSTILE.replace("\ud800", "").replace("\x00", "")
    made = report(run=hostile, title=words, title_zh=words, base_label=words, test_dataset_label=words, command=words)
    elements = Elements(made.html)
    assert elements.open == []
    assert elements.of("script") == elements.of("img") == []
    assert "&lt;script&gt;" in made.html
    assert "{{7*7}}" in made.html


def test_hidden_characters_are_spelled_out(report: Report, hostile: Path) -> None:
    made = report(run=hostile)
    assert not set(made.html) & {"\u202e", "\x00", "\x1b", "\ud800"}
    assert all(name in made.html for name in ("⟨U+202E⟩", "⟨U+0000⟩", "⟨U+D800⟩", "⟨U+001B⟩"))


def test_hostile_keys_and_metric_names_stay_words(report: Report, run: Path) -> None:
    path = run / "steps/compare/compare.json"
    compare = json.loads(path.read_text(encoding="utf-8"))
    compare["metrics"] = {HOSTILE: compare["metrics"]["bleu4"]}
    path.write_text(json.dumps(compare), encoding="utf-8")
    (run / "manifest.json").write_text(json.dumps({HOSTILE: {HOSTILE: HOSTILE}}), encoding="utf-8")
    elements = Elements(report(run=run, metrics_base=None).html)
    assert elements.of("script") == []
    assert elements.open == []


def test_numbers_that_json_has_no_word_for_become_null(report: Report, run: Path) -> None:
    path = run / "steps/compare/compare.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace(": 0.86", ": NaN").replace(": 0.67", ": Infinity"), encoding="utf-8"
    )
    made = report(run=run)
    assert made.data["metrics"][0]["difference"] is None
    assert not re.search(r"\b(nan|inf|infinity)\b", made.html, re.IGNORECASE)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("\u202eabc", "⟨U+202E⟩abc"),
        ("\ud83d", "⟨U+D83D⟩"),
        ("tab\t\n é 中 👍", "tab\t\n é 中 👍"),
    ],
)
def test_visible_spells_out_only_what_is_hidden(given: str, shown: str) -> None:
    assert visible(given) == shown


def test_tidy_leaves_plain_values_alone() -> None:
    value = {"a": [1, 2.5, True, None, "é"], "b": {"c": "中"}}
    assert tidy(value) == value
    assert tidy({"\ud800": (float("nan"), float("-inf"))}) == {"⟨U+D800⟩": [None, None]}
