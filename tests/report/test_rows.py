from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from metier.report.rows import excerpt
from tests.report.conftest import Made, Report


def listed(run: Path, count: int, characters: int, script: str = "好") -> None:
    path = run / "steps/compare/compare.json"
    compare: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    words = script * characters
    for side in ("worst", "best"):
        compare[side] = [
            {"row": number, "prompt": words, "label": words, "base": words, "tuned": words} for number in range(count)
        ]
    path.write_text(json.dumps(compare), encoding="utf-8")


@pytest.mark.parametrize("script", ["好", "<", "\u202e", "é"])
def test_a_hundred_long_rows_stay_below_a_megabyte(report: Report, run: Path, script: str) -> None:
    listed(run, 50, 3000, script)
    made = report(run=run)
    assert made.summary["html_bytes"] < 1_000_000
    assert len(made.data["rows"]["worst"]) >= 4


def test_a_hundred_short_rows_are_all_shown(report: Report, run: Path) -> None:
    listed(run, 50, 60)
    made = report(run=run)
    assert made.data["rows"]["left_out"] == {"worst": 0, "best": 0}
    assert made.html.count('<details class="row">') == 100


def test_rows_left_out_are_counted_and_placed(report: Report, run: Path) -> None:
    listed(run, 8, 60)
    made = report(run=run, rows_shown=6)
    assert [row["row"] for row in made.data["rows"]["worst"]] == [0, 1, 2]
    assert made.data["rows"]["left_out"] == {"worst": 5, "best": 5}
    assert "5 more listed rows are not shown" in made.html
    assert "they are in compare.json" in made.html


def test_long_texts_say_how_much_was_left_out(report: Report, run: Path) -> None:
    listed(run, 1, 4000)
    assert "2,500 more characters" in report(run=run).html


def test_an_empty_answer_is_called_empty(report: Report, run: Path) -> None:
    listed(run, 1, 0)
    assert "(empty)" in report(run=run).html


def test_scores_of_a_row_are_read_in_either_nesting(report: Report, run: Path) -> None:
    path = run / "steps/compare/compare.json"
    compare = json.loads(path.read_text(encoding="utf-8"))
    compare["worst"][0]["scores"] = {"base": {"bleu4": 3.0, "choice_accuracy": 1.0}, "tuned": {"choice_accuracy": 0.0}}
    path.write_text(json.dumps(compare), encoding="utf-8")
    scores = report(run=run).data["rows"]["worst"][0]["scores"]
    assert scores == [
        {"name": "choice_accuracy", "base": 1.0, "tuned": 0.0},
        {"name": "bleu4", "base": 3.0, "tuned": None},
    ]


@pytest.mark.parametrize(
    "prompt",
    [
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nWhat is it?<|im_end|>\n<|im_start|>assistant\n",
        "<start_of_turn>user\nWhat is it?<end_of_turn>\n<start_of_turn>model\n",
        "<|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n"
        "What is it?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        "<｜begin▁of▁sentence｜>Be kind.<｜User｜>What is it?<｜Assistant｜><think>\n",
        "What is it?",
    ],
)
def test_the_excerpt_is_what_was_asked_last(prompt: str) -> None:
    assert excerpt(prompt) == "What is it?"


def test_what_was_read_from_answers_is_shown(whole: Made) -> None:
    assert "— → C, <span" in whole.html
    assert whole.data["rows"]["best"][0]["read"] == {"gold": "C", "base": None, "tuned": "C"}


def test_messages_are_shown_as_words(report: Report, run: Path) -> None:
    path = run / "steps/compare/compare.json"
    compare = json.loads(path.read_text(encoding="utf-8"))
    compare["worst"][0]["prompt"] = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}]}]
    path.write_text(json.dumps(compare), encoding="utf-8")
    assert report(run=run).data["rows"]["worst"][0]["prompt"]["text"] == "user\nWhat is it?"


def test_thinking_is_apart_from_the_answer(whole: Made) -> None:
    base = whole.data["rows"]["best"][0]["base"]
    assert base["thinking"].startswith("Iron, thyroid")
    assert base["text"].startswith("It could be many things")
