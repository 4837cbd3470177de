"""Scores by kind of chart, kind of question and field, side by side where two models were compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metier.core.i18n import LANGUAGES, has_text, translate
from metier.report.charts.scale import is_number
from metier.report.inputs import Inputs
from metier.report.scores import SIDES
from metier.report.texts import Text, plain

_CHARACTERS = 80


def groups(inputs: Inputs, metrics: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The divisions with their parts, from the comparison, else from the one side that was scored; None without any.

    metrics: of the report; that of the divisions says on which scale they are written.
    """
    sources = (("both", inputs.compare), ("tuned", inputs.metrics_tuned), ("base", inputs.metrics_base))
    for side, source in sources:
        given = (source or {}).get("groups")
        found: dict[str, Any] = given if isinstance(given, dict) else {}
        metric = next((one for one in metrics if one["name"] == found.get("metric")), None)
        by = found.get("by")
        if metric is None or not isinstance(by, dict):
            continue
        divisions = [_division(name, one, side) for name, one in by.items() if isinstance(one, dict)]
        if divisions := [one for one in divisions if one["parts"]]:
            sides = SIDES if side == "both" else (side,)
            return {"metric": metric, "sides": sides, "divisions": divisions}
    return None


def _division(by: str, given: Mapping[str, Any], side: str) -> dict[str, Any]:
    parts = [_part(one, side) for one in given.get("parts") or [] if isinstance(one, dict)]
    left_out = given.get("left_out")
    return {"name": _named("division", by), "parts": parts, "left_out": left_out if is_number(left_out) else 0}


def _part(given: Mapping[str, Any], side: str) -> dict[str, Any]:
    scores = {side: given} if side != "both" else {one: given.get(one) or {} for one in SIDES}
    return {
        "name": _named("part", str(given.get("value", ""))[:_CHARACTERS]),
        "n": given.get("n"),
        "few": bool(given.get("few")),
        **{name: {key: one.get(key) for key in ("score", "low", "high")} for name, one in scores.items()},
        **{key: given.get(key) if side == "both" else None for key in ("difference", "low", "high")},
    }


def _named(kind: str, value: str) -> Text:
    """The spoken name, or the value as the data has it. The names are the evaluation's own."""
    key = f"evaluate.{kind}.{value}"
    if not has_text(key):
        return plain(value)
    return {language: translate(key, language=language) for language in LANGUAGES}
