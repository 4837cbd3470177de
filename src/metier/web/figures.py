"""Scores as people read them: percent or points, an interval as a picture, and where an answer leaves its reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from metier.core.i18n import has_text, translate
from metier.evaluate.spec import RIGHT_OR_WRONG

_TOKEN = re.compile(r"[\u3400-\u9fff]|\w+|\s+|[^\w\s]")
_COMPARED = 250_000  # pairs of tokens: beyond that texts are shown as they are
_WIDTH = 120.0  # of an interval's picture, in its own units


@dataclass(frozen=True)
class Stretch:
    """A piece of a text. other: it is not in the text beside it."""

    text: str
    other: bool


def level(value: float | None, maximum: float, proportion: bool) -> str:
    """A score: a share as percent, else three decimals on a scale to 1 and two on a longer one."""
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if proportion else f"{value:.3f}" if maximum <= 1 else f"{value:.2f}"


def change(value: float | None, maximum: float, proportion: bool) -> str:
    """A difference of scores with its sign; of shares, in percentage points."""
    if value is None:
        return "–"
    text = f"{100 * value:+.1f}" if proportion else f"{value:+.3f}" if maximum <= 1 else f"{value:+.2f}"
    return (text.lstrip("+-") if not text.strip("+-0.") else text).replace("-", "−")


def spread(entry: dict[str, Any], maximum: float) -> dict[str, float]:
    """Where an interval begins and ends and where its score stands, on a line `_WIDTH` long."""
    at = {key: max(0.0, min(1.0, float(entry[key]) / maximum)) * _WIDTH for key in ("low", "high", "score")}
    return {**at, "length": max(1.0, at["high"] - at["low"])}


def score_words(name: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """A deciding score in words: metric, value and interval."""
    scale = _scale(name, entry)
    between = f"{level(entry['low'], *scale)} – {level(entry['high'], *scale)}"
    return {"metric": metric_name(name), "value": level(entry["score"], *scale), "change": "", "between": between}


def gain_words(gain: Mapping[str, Any] | None) -> dict[str, str] | None:
    """A gain in words: metric, both scores, their difference and its interval, and whether it is one."""
    if not gain:
        return None
    name = str(gain["metric"])
    scale = _scale(name, gain)
    return {
        "metric": metric_name(name),
        "base": level(gain["base"], *scale),
        "value": level(gain["tuned"], *scale),
        "change": change(gain["difference"], *scale),
        "between": f"{change(gain['low'], *scale)} … {change(gain['high'], *scale)}",
        "direction": "better" if gain["low"] > 0 else "worse" if gain["high"] < 0 else "same",
    }


def _scale(name: str, entry: Mapping[str, Any]) -> tuple[float, bool]:
    """The end of a metric's scale, and whether its scores are shares of right answers."""
    return float(str(entry.get("scale", "0-1")).rpartition("-")[2]), name in RIGHT_OR_WRONG


def division_name(name: str) -> str:
    """What a division of rows is called."""
    key = f"evaluate.division.{name}"
    return translate(key) if has_text(key) else name


def part_name(value: str) -> str:
    """What a part of a division is called: by its name, or as the data has it."""
    key = f"evaluate.part.{value}"
    return translate(key) if has_text(key) else value


def metric_name(name: str) -> str:
    """A metric's spoken name, with a capital first."""
    key = f"evaluate.metric_name.{name}"
    words = translate(key) if has_text(key) else name
    return words[:1].upper() + words[1:] if words.partition(" ")[0].islower() else words


def short_name(name: str) -> str:
    """A metric's name without what stands in brackets behind it."""
    return re.split(r"\s*[(（]", metric_name(name))[0]


def beside(reference: str, answer: str) -> tuple[list[Stretch], list[Stretch]]:
    """Both texts in stretches, those apart that the other does not have."""
    left, right = _TOKEN.findall(reference), _TOKEN.findall(answer)
    if not left or not right or len(left) * len(right) > _COMPARED:
        return [Stretch(reference, False)], [Stretch(answer, False)]
    first: list[Stretch] = []
    second: list[Stretch] = []
    for kind, i, j, k, m in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        first.append(Stretch("".join(left[i:j]), kind != "equal"))
        second.append(Stretch("".join(right[k:m]), kind != "equal"))
    return [one for one in first if one.text], [one for one in second if one.text]
