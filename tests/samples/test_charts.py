"""The chart sets: answers that the drawn numbers give, held-out looks and series that training never shows."""

from __future__ import annotations

import io
import random
from functools import cache
from pathlib import Path

import pytest
from PIL import Image
from tools.charts.chart import TOY_LABELS, Candle, Chart, Series, toy_chart
from tools.charts.draw import draw
from tools.charts.reading import readings
from tools.charts.reports import REPORT_KINDS, report_chart
from tools.charts.sets import DEMO_KINDS, TOY_KINDS, chart_demo_rows, chart_sample_rows, chinese_font
from tools.charts.styles import draw_style
from tools.charts.toy import UNREADABLE, seedling_questions, tuning_questions
from tools.make_samples import packed, write_samples

from metier.data import Dataset, load_dataset
from metier.data.entries import SAMPLES

SETS = ["chart_demo_en", "chart_sample_en", "chart_sample_zh"]


@cache
def shipped(name: str) -> Dataset:
    return load_dataset(name)


def bars(*values: float) -> Chart:
    return Chart("bar", "Revenue", "m", TOY_LABELS[len(values)], (Series("Revenue", "blue", values),), 100)


def asked(chart: Chart, kind: str) -> dict[str, str]:
    """Questions of a kind and their answers, all that can come of some seeds."""
    found = [question for seed in range(40) for question in tuning_questions(chart, random.Random(seed))]
    return {question.text: question.answer for question in found if question.kind == kind}


@pytest.mark.parametrize("name", SETS)
def test_each_row_has_one_picture_and_an_answer(name: str) -> None:
    for row in [*shipped(name).conversations, *shipped(f"{name}_test").conversations]:
        (picture,) = row.prompt[-1].images
        image = Image.open(io.BytesIO(picture.read()))
        assert image.format == "PNG"
        assert image.width <= 360
        assert row.label
        assert row.meta["chart_type"] in REPORT_KINDS


@pytest.mark.parametrize("name", SETS)
def test_no_picture_of_training_is_held_out(name: str) -> None:
    def pictures(dataset: Dataset) -> set[bytes]:
        return {row.prompt[-1].images[0].read() for row in dataset.conversations}

    assert not pictures(shipped(name)) & pictures(shipped(f"{name}_test"))


def test_the_demo_asks_each_kind_as_often() -> None:
    kinds = [row.meta["kind"] for row in shipped("chart_demo_en").conversations]
    assert {kinds.count(kind) for kind in DEMO_KINDS} == {len(kinds) // len(DEMO_KINDS)}


def test_the_seedling_was_never_asked_in_the_words_of_the_demo() -> None:
    chance = random.Random(1)
    heard = {
        question.text
        for _ in range(300)
        for kind in TOY_KINDS
        for question in seedling_questions(toy_chart(kind, "Revenue", chance), chance)
    }
    demo = {row.prompt[-1].text for row in shipped("chart_demo_en").conversations}
    assert not heard & demo


def test_answers_are_computed_from_the_numbers() -> None:
    chart = bars(20, 81, 42, 39)
    assert asked(chart, "difference")["How far apart are Q1 and Q2?"] == "60"
    assert asked(chart, "extreme") == {"When was the peak?": "Q2", "When was the bottom?": "Q1"}
    assert asked(chart, "trend") == {"From Q1 to Q4, where did it go?": "up"}
    assert asked(chart, "growth")["At least doubled from Q1 to Q2?"] == "yes"
    assert set(asked(chart, "unreadable").values()) == {UNREADABLE}


def test_what_cannot_be_read_is_not_on_the_chart() -> None:
    for text in asked(bars(20, 81, 42, 39), "unreadable"):
        assert not text.startswith("How far") or " Q1" not in text.partition(" and ")[0]


def test_a_growth_rate_is_told_with_its_steps_and_tolerance() -> None:
    chart = Chart("table", "收入", "万元", ("2020年", "2021年"), (Series("云服务", "blue", (4000.0, 5000.0)),), 8000)
    (growth,) = [item for item in readings(chart, "zh", random.Random(1)) if item.kind == "growth"]
    assert growth.answer == "25"
    assert "(5,000 − 4,000) / 4,000 = 25%" in growth.why
    assert growth.unit == "%"
    assert growth.tolerance == 0.5


def test_a_candle_that_rises_is_green_and_in_china_red() -> None:
    chart = Chart("candlestick", "", "", ("Mon",), (), 100, (Candle(20, 80, 10, 90),))
    style = draw_style("seedling", random.Random(1))
    middle = (style.margin[0] + 224 - style.margin[2]) // 2, 110
    seen = [draw(chart, style, random.Random(1), red_rises=red).getpixel(middle) for red in (False, True)]
    assert seen == [style.shades["green"], style.shades["red"]]


def test_every_kind_of_report_chart_is_drawn() -> None:
    for kind in REPORT_KINDS:
        chart = report_chart(kind, "en", "train", random.Random(2))
        paper = draw_style("held-out", random.Random(3))
        assert draw(chart, paper, random.Random(4), width=360, height=260, legend=True).size == (360, 260)


def test_the_same_seed_draws_the_same_rows() -> None:
    rows = [packed(chart_demo_rows("train", seed, 14)) for seed in (3, 3, 4)]
    assert rows[0] == rows[1] != rows[2]
    assert packed(chart_sample_rows("en", "test", 3, 6)) == packed(chart_sample_rows("en", "test", 3, 6))


@pytest.mark.long
def test_making_all_sets_again_gives_the_shipped_bytes(tmp_path: Path) -> None:
    try:
        chinese_font()
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    write_samples(tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (SAMPLES / path.name).read_bytes(), path.name
