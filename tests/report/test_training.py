from __future__ import annotations

import math
from typing import Any

import pytest

from metier.report.inputs import StepFacts
from metier.report.texts import bytes_text, count_text, duration_text, score_text
from metier.report.training import training
from tests.report.conftest import Made


def facts(*events: dict[str, Any], **values: Any) -> StepFacts:
    return StepFacts("train", events=list(events), **values)


def progress(step: int, **values: Any) -> dict[str, Any]:
    return {"event": "progress", "step": step, "total": 10, **values}


def test_no_events_no_training() -> None:
    assert training(None) is None
    assert training(facts()) is None
    assert training(facts({"event": "start"}, progress(1, loss=None), progress(2, loss=math.nan))) is None


def test_figures_come_from_the_events() -> None:
    made = training(facts(progress(1, loss=3.0, epoch=0.1), progress(2, loss=2.0, eval_loss=1.5, epoch=0.2)))
    assert made is not None
    assert (made["steps"], made["total_steps"], made["epochs"], made["best_eval_loss"]) == (2, 10, 0.2, 1.5)
    assert made["curve"]["loss"] == [[1.0, 3.0], [2.0, 2.0]]


def test_a_step_repeated_after_a_stop_counts_once() -> None:
    made = training(facts({"event": "start"}, progress(1, loss=3.0), {"event": "start"}, progress(1, loss=2.5)))
    assert made is not None
    assert made["curve"]["loss"] == [[1.0, 2.5]]
    assert made["starts"] == 2


def test_parameters_counted_by_the_training_are_shown() -> None:
    summary = {"trainable_parameters": 4_884_480, "total_parameters": 139_400_064}
    made = training(facts(progress(1, loss=1.0), summary=summary))
    assert made is not None
    assert made["trainable_parameters"] == 4_884_480


def test_a_long_curve_is_thinned_for_the_page() -> None:
    made = training(facts(*(progress(step, loss=1 / step) for step in range(1, 5001))))
    assert made is not None
    assert made["curve"]["points"] == 5000
    assert len(made["curve"]["loss"]) == 400


def test_the_loss_curve_is_drawn_with_its_evaluation(whole: Made) -> None:
    assert 'class="series train"' in whole.html
    assert whole.html.count('class="dot eval"') == 8


SMALL: dict[str, Any] = {"maximum": 1, "percent": False}
LARGE: dict[str, Any] = {"maximum": 100, "percent": False}
SHARE: dict[str, Any] = {"maximum": 1, "percent": True}


@pytest.mark.parametrize(
    ("value", "metric", "expected"),
    [
        (0.86, SMALL, "0.860"),
        (38.666, LARGE, "38.67"),
        (0.86, SHARE, "86.0\u202f%"),
        (None, SMALL, "—"),
        (math.nan, SHARE, "—"),
        (-0.0001, SMALL, "0.000"),
        (-2, LARGE, "−2.00"),
    ],
)
def test_scores_have_the_decimals_of_their_scale(value: float | None, metric: dict[str, Any], expected: str) -> None:
    assert score_text(value, metric) == expected


def test_a_gain_of_nothing_has_no_sign() -> None:
    assert [score_text(value, SMALL, signed=True) for value in (0.5, 0.0, -0.5)] == ["+0.500", "0.000", "−0.500"]
    assert score_text(0.67, SHARE, signed=True) == "+67.0"


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (3.21, "3.2 s", "3.2 秒"),
        (59.6, "1 min 0 s", "1 分 0 秒"),
        (231.7, "3 min 52 s", "3 分 52 秒"),
        (7265, "2 h 1 min", "2 小时 1 分"),
    ],
)
def test_durations_are_read_in_both_languages(seconds: float, english: str, chinese: str) -> None:
    assert duration_text(seconds) == {"en": english, "zh": chinese}


def test_sizes_and_counts_are_grouped() -> None:
    assert count_text(4_884_480) == "4,884,480"
    assert bytes_text(2_400_000_000) == "2.2 GiB"
    assert count_text(None) == bytes_text(math.nan) == "—"
