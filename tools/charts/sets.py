"""The chart sets that the package ships: in OpenAI's form, each picture a PNG within its row."""

from __future__ import annotations

import base64
import io
import random
from pathlib import Path
from typing import Any

from PIL import Image

from tools.charts.chart import Chart, ChartType, toy_chart
from tools.charts.draw import draw
from tools.charts.reading import Reading, readings
from tools.charts.reports import REPORT_KINDS, WORDS, Language, report_chart
from tools.charts.styles import Family, draw_style
from tools.charts.toy import HELD_OUT_TITLES, TUNING_TITLES, Question, tuning_questions

Row = dict[str, Any]
Numbers = tuple[Any, ...]
DEMO_ROWS, DEMO_TEST_ROWS = 1400, 350
SAMPLE_ROWS, SAMPLE_TEST_ROWS = 240, 72
TOY_KINDS: tuple[ChartType, ...] = ("bar", "line", "stacked", "pie", "candlestick")
DEMO_KINDS = ("trend", "extreme", "difference", "growth", "share", "comparison", "unreadable")
PALETTE = 48  # colours of a stored picture


def chart_sets(seed: int) -> dict[str, list[Row]]:
    """Every shipped set with pictures, by name. Chinese labels need a Chinese font, see `chinese_font`."""
    sets = {
        "chart_demo_en": chart_demo_rows("train", seed, DEMO_ROWS),
        "chart_demo_en_test": chart_demo_rows("test", seed, DEMO_TEST_ROWS),
    }
    languages: tuple[Language, ...] = ("en", "zh")
    for language in languages:
        sets[f"chart_sample_{language}"] = chart_sample_rows(language, "train", seed, SAMPLE_ROWS)
        sets[f"chart_sample_{language}_test"] = chart_sample_rows(language, "test", seed, SAMPLE_TEST_ROWS)
    return sets


def chart_demo_rows(split: str, seed: int, count: int) -> list[Row]:
    """Rows of the demo, each kind of question as often as any other, a picture of its own for each row.

    Held-out rows (`test`) have colours, papers and series' names that training never shows, and no chart whose numbers
    are those of a chart in training.
    """
    taken = {_numbers(chart) for chart, _ in _demo("train", seed, DEMO_ROWS, set())} if split == "test" else set()
    chance = random.Random(f"{seed}/looks/{split}")
    family: Family = "held-out" if split == "test" else "tuning"
    rows = []
    for chart, question in _demo(split, seed, count, taken):
        picture = draw(chart, draw_style(family, chance), chance)
        rows.append(_row(chart, question, picture))
    return rows


def _demo(split: str, seed: int, count: int, taken: set[Numbers]) -> list[tuple[Chart, Question]]:
    """Charts and what is asked of them; `yes` and `no` are asked for as often."""
    chance = random.Random(f"{seed}/charts/{split}")
    titles = HELD_OUT_TITLES if split == "test" else TUNING_TITLES
    asked: list[tuple[Chart, Question]] = []
    while len(asked) < count:
        kind, wanted = DEMO_KINDS[len(asked) % len(DEMO_KINDS)], chance.choice(("yes", "no"))
        options: list[Question] = []
        while not options:
            chart = toy_chart(chance.choice(TOY_KINDS), chance.choice(titles), chance)
            options = [question for question in tuning_questions(chart, chance) if question.kind == kind]
            options = [question for question in options if question.answer in (wanted, *_open(question))]
            options = [] if _numbers(chart) in taken else options
        asked.append((chart, chance.choice(options)))
    chance.shuffle(asked)
    return asked


def _open(question: Question) -> tuple[str, ...]:
    """The question's own answer, where it is none of `yes` and `no`."""
    return () if question.answer in ("yes", "no") else (question.answer,)


def _numbers(chart: Chart) -> Numbers:
    candles = [(candle.opened, candle.closed) for candle in chart.candles]
    return (chart.kind, chart.labels, tuple(row.values for row in chart.series), tuple(candles))


def _row(chart: Chart, question: Question, picture: Image.Image) -> Row:
    parts = [{"type": "image_url", "image_url": {"url": data_url(picture)}}, {"type": "text", "text": question.text}]
    return {
        "messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": question.answer}],
        "meta": {
            "answer": question.answer,
            "kind": question.kind,
            "chart_type": chart.kind,
            "language": "en",
        },
    }


def chart_sample_rows(language: Language, split: str, seed: int, count: int) -> list[Row]:
    """Rows of a sample set: charts as reports have them, reasoning before each answer, kinds of charts in turn.

    Held-out rows have series, colours and papers that training never shows. Every fourth question asks for a short
    answer and gets one. Raises FileNotFoundError where Chinese is to be drawn and no font for it is installed.
    """
    chance = random.Random(f"{seed}/charts/{language}/{split}")
    family: Family = "held-out" if split == "test" else "tuning"
    font = chinese_font() if language == "zh" else None
    rows = []
    for number in range(count):
        chart = report_chart(REPORT_KINDS[number % len(REPORT_KINDS)], language, split, chance)
        looks: dict[str, Any] = {
            "width": 360,
            "height": 260,
            "font": font,
            "legend": True,
            "red_rises": language == "zh",
        }
        picture = draw(chart, draw_style(family, chance), chance, **looks)
        options = list(readings(chart, language, chance))
        question = chance.choices(options, [0.5 if item.kind == "unreadable" else 1.0 for item in options])[0]
        rows.append(_reading_row(chart, question, picture, language, brief=number % 4 == 3))
    return rows


def chinese_font() -> Path:
    """Noto Sans CJK, where Linux distributions put it."""
    for folder in ("/usr/share/fonts/opentype/noto", "/usr/share/fonts/noto-cjk", "/usr/share/fonts/google-noto-cjk"):
        path = Path(folder) / "NotoSansCJK-Regular.ttc"
        if path.is_file():
            return path
    raise FileNotFoundError("NotoSansCJK-Regular.ttc; install the package fonts-noto-cjk")


def _reading_row(chart: Chart, reading: Reading, picture: Image.Image, language: Language, *, brief: bool) -> Row:
    words = WORDS[language]
    text = words["short"].format(question=reading.text) if brief else reading.text
    told = reading.answer if brief else words["answer"].format(why=reading.why, answer=reading.answer)
    parts = [{"type": "image_url", "image_url": {"url": data_url(picture)}}, {"type": "text", "text": text}]
    meta = {"answer": reading.answer, "kind": reading.kind, "chart_type": chart.kind, "language": language}
    if reading.tolerance is not None:
        meta |= {"answer": reading.answer.replace(",", ""), "question_type": "numerical"}
        meta |= {"unit": reading.unit, "tolerance": reading.tolerance}
    return {
        "messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": told}],
        "meta": meta,
    }


def data_url(picture: Image.Image) -> str:
    """The picture as PNG with few colours, in an address."""
    target = io.BytesIO()
    picture.quantize(PALETTE, method=Image.Quantize.FASTOCTREE).save(target, "PNG")
    return "data:image/png;base64," + base64.b64encode(target.getvalue()).decode("ascii")
