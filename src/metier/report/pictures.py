"""The page's pictures: the report's figures handed to the chart functions, with their labels."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from metier.report.charts import Bar, Series, difference_plot, histogram, interval_bars, line_chart, outcome_strip
from metier.report.charts.scale import is_number
from metier.report.texts import Text, proof_figure, score_text, text


def score_bars(metric: dict[str, Any], labelled_by: str) -> Markup:
    """Base and tuned with their intervals on the metric's scale; shares in percent."""
    bars = []
    for side in ("base", "tuned"):
        value, low, high = (_scaled(metric, metric[side][key]) for key in ("score", "low", "high"))
        if value is not None:
            bars.append(Bar(text(side), value, low, high, side, score_text(metric[side]["score"], metric)))
    return interval_bars(bars, maximum=_scaled(metric, metric["maximum"]) or 1.0, labelled_by=labelled_by)


def gain(metric: dict[str, Any], labelled_by: str, height: int = 44) -> Markup:
    """The difference with its interval and the zero line; shares in points."""
    difference, low, high = (_scaled(metric, metric[key]) for key in ("difference", "low", "high"))
    return difference_plot(difference, low, high, labelled_by=labelled_by, height=height)


def _scaled(metric: dict[str, Any], value: Any) -> float | None:
    if not is_number(value):
        return None
    return float(value) * (100 if metric["percent"] else 1)


def outcomes(metric: dict[str, Any], labelled_by: str) -> Markup:
    """Wins, ties and losses as one strip."""
    counts = [int(metric[key]) if is_number(metric[key]) else 0 for key in ("wins", "ties", "losses")]
    return outcome_strip(*counts, labelled_by=labelled_by)


def loss_curve(training: dict[str, Any], labelled_by: str) -> Markup:
    """Training loss (every step thin, smoothed bold) and evaluation loss over steps."""
    curve = training["curve"]
    series = [
        Series(text("training.loss"), curve["loss"], "raw"),
        Series(text("training.smoothed"), curve["smoothed"], "train"),
        Series(text("training.eval"), curve["eval"], "eval", dots=len(curve["eval"]) <= 60),
    ]
    return line_chart(
        series, x_label=text("training.step"), y_label=text("training.loss_axis"), labelled_by=labelled_by
    )


def length_histogram(counts: dict[str, Any] | None, unit: str, cutoff: int | None, labelled_by: str) -> Markup:
    """How many rows are how long, with the cut-off marked where it is known."""
    if counts is None:
        return Markup("")
    return histogram(
        counts["histogram"],
        x_label=text(f"lengths.{unit}"),
        y_label=text("lengths.rows"),
        mark=cutoff,
        mark_label=text("lengths.cutoff", cutoff=f"{cutoff:,}") if cutoff else None,
        labelled_by=labelled_by,
    )


def proof_bars(metric: dict[str, Any], currency: str, labelled_by: str) -> Markup:
    """Each variant's score with its interval: grey without documents, coloured with them."""
    factor = _factor(metric)
    bars = [
        _bar(
            text(f"proof.short.{name}"),
            one,
            factor,
            proof_figure(one["score"], metric, currency) if one else "—",
            kind="tuned" if name.endswith("knowledge") else "base",
        )
        for name, one in metric["scores"]
    ]
    most = max(bar.high or bar.value or 0.0 for bar in bars)
    return interval_bars(bars, maximum=most if factor == 1.0 and most else 100.0, labelled_by=labelled_by)


def proof_gain(metric: dict[str, Any], labelled_by: str) -> Markup:
    """The last variant's gain over the first, with the zero line."""
    factor = _factor(metric)
    difference, low, high = (_times(metric["gain"], key, factor) for key in ("difference", "low", "high"))
    return difference_plot(difference, low, high, labelled_by=labelled_by)


def search_bars(scores: list[dict[str, Any]], labelled_by: str) -> Markup:
    """What the search found, in percent."""
    bars = [_bar(one["label"], one, 100.0, proof_figure(one["score"], one)) for one in scores]
    return interval_bars(bars, maximum=100.0, labelled_by=labelled_by)


def preference(pair: dict[str, Any], labelled_by: str) -> Markup:
    """How far the judge's preference is from one half, in points."""
    score, low, high = (100.0 * (pair["preference"][key] - 0.5) for key in ("score", "low", "high"))
    return difference_plot(score, low, high, labelled_by=labelled_by)


def dimension_bars(pair: dict[str, Any], dimensions: list[dict[str, Any]], labelled_by: str) -> Markup:
    """The preference in each dimension, in percent: one half is no preference."""
    found = [(one["name"], pair["dimensions"][one["key"]]) for one in dimensions]
    bars = [_bar(name, entry, 100.0, f"{100 * entry['score']:.0f}") for name, entry in found]
    return interval_bars(bars, maximum=100.0, labelled_by=labelled_by)


def _bar(name: Text, entry: dict[str, Any] | None, factor: float, written: str, kind: str = "tuned") -> Bar:
    value, low, high = (_times(entry, key, factor) for key in ("score", "low", "high"))
    return Bar(name, value, low, high, kind, written)


def _factor(metric: dict[str, Any]) -> float:
    return 100.0 if metric["unit"] == "share" else 1.0


def _times(entry: dict[str, Any] | None, key: str, factor: float) -> float | None:
    return float(entry[key]) * factor if entry and is_number(entry.get(key)) else None
