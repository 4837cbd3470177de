"""Scores of base and tuned side by side: what was gained, on which metric, and what was forgotten."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from metier.report.charts.scale import finite, is_number
from metier.report.inputs import Inputs
from metier.report.spec import ReportSpec
from metier.report.texts import as_text, text

OUTCOMES = ("better", "no_improvement", "worse", "mixed")
SIDES = ("base", "tuned")
_FIRST = ("choice", "accuracy", "exact", "f1", "rougel", "bleu")
_DESCRIBED = ("definition", "tokenizer", "smoothing", "level", "scale", "version", "proportion")


def verdict(inputs: Inputs) -> dict[str, Any]:
    """Outcome, sentences and cautions; without a comparison, what is there instead."""
    given = (inputs.compare or {}).get("verdict") or {}
    outcome = given.get("outcome")
    sentences = [as_text(one) for one in given.get("sentences") or []]
    if outcome not in OUTCOMES:
        sides = [side for side in SIDES if getattr(inputs, f"metrics_{side}")]
        outcome = "not_compared"
        sentences = [text("verdict.both" if len(sides) == 2 else f"verdict.{sides[0]}" if sides else "verdict.nothing")]
    elif not sentences:
        sentences = [text(f"verdict.{outcome}")]
    return {"outcome": outcome, "sentences": sentences, "cautions": _cautions(inputs, given)}


def _cautions(inputs: Inputs, given: Mapping[str, Any]) -> list[dict[str, str]]:
    """The comparison's cautions, beside the verdict or in it; without a comparison the warnings of the scores."""
    found = [*((inputs.compare or {}).get("cautions") or []), *(given.get("cautions") or [])]
    texts = [as_text(one) for one in found]
    if inputs.compare is None:
        warned = {
            side: [as_text(one) for one in (getattr(inputs, f"metrics_{side}") or {}).get("warnings") or []]
            for side in SIDES
        }
        shared = [one for one in warned["base"] if one in warned["tuned"]]
        own = [
            text("of_side", side=text(f"{side}_model"), warning=one)
            for side in SIDES
            for one in warned[side]
            if one not in shared
        ]
        texts += [*shared, *own]
    return [one for index, one in enumerate(texts) if one not in texts[:index] and any(one.values())]


def metrics(inputs: Inputs, spec: ReportSpec) -> list[dict[str, Any]]:
    """Every metric that any input knows, the headline first, the others in the order of the comparison."""
    compared = _entries(inputs.compare)
    sides = {side: _entries(getattr(inputs, f"metrics_{side}")) for side in SIDES}
    names = list(dict.fromkeys([*compared, *sides["tuned"], *sides["base"]]))
    first = headline_name(names, inputs, spec)
    names.sort(key=lambda name: name != first)
    return [_metric(name, compared.get(name), sides) for name in names]


def guard(inputs: Inputs) -> list[dict[str, Any]]:
    """The general set's scores before and after, in the same shape."""
    known: dict[str, Any] = (inputs.compare or {}).get("guard") or {}
    inner = known.get("metrics")
    entries: dict[str, Any] = inner if isinstance(inner, dict) else known
    described = {side: _entries(getattr(inputs, f"metrics_{side}")) for side in SIDES}
    return [_metric(name, one, described) for name, one in entries.items() if isinstance(one, dict) and "base" in one]


def headline_name(names: list[str], inputs: Inputs, spec: ReportSpec) -> str | None:
    """The metric that stands at the top: the asked one, the verdict's, else the one that is easiest to read."""
    compare = inputs.compare or {}
    for wanted in (spec.headline_metric, (compare.get("verdict") or {}).get("metric"), compare.get("headline")):
        if wanted in names:
            return str(wanted)
    for part in _FIRST:
        if found := [name for name in names if part in name]:
            return found[0]
    return names[0] if names else None


def interval_facts(inputs: Inputs) -> dict[str, Any]:
    """How the intervals were made: `confidence` (0 to 1), `samples`, `seed`; 95 % where nothing is written."""
    for source in (inputs.compare, inputs.metrics_tuned, inputs.metrics_base):
        found = (source or {}).get("interval")
        if isinstance(found, dict) and is_number(found.get("confidence")):
            return {key: found.get(key) for key in ("confidence", "samples", "seed")}
    return {"confidence": 0.95, "samples": None, "seed": None}


def llama_factory_keys(inputs: Inputs) -> list[dict[str, Any]]:
    """The `predict_*` figures as LLaMA-Factory names them."""
    both = {side: getattr(inputs, f"metrics_{side}") or {} for side in SIDES}
    names = dict.fromkeys(name for side in SIDES for name in both[side] if name.startswith("predict_"))
    return [{"name": name, **{side: both[side].get(name) for side in SIDES}} for name in names]


def _entries(source: Mapping[str, Any] | None) -> dict[str, Any]:
    known = (source or {}).get("metrics") or {}
    return {name: one for name, one in known.items() if isinstance(one, dict)}


def _metric(name: str, compared: Mapping[str, Any] | None, sides: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    both = {side: (compared or {}).get(side) or sides.get(side, {}).get(name) for side in SIDES}
    described: dict[str, Any] = {}
    for source in (sides.get("base", {}).get(name), sides.get("tuned", {}).get(name), compared):
        described |= {key: source[key] for key in _DESCRIBED if source and source.get(key) not in (None, "")}
    scores = {side: _score(both[side]) for side in SIDES}
    known = [value for side in SIDES for value in finite([scores[side][key] for key in ("score", "high")])]
    rows = [source["n"] for source in (compared, both["tuned"], both["base"]) if source and is_number(source.get("n"))]
    compared = compared or {}
    return {
        "name": name,
        "maximum": (top := maximum(described.get("scale"), known)),
        "percent": bool(described.pop("proportion", False)) and top == 1,
        **scores,
        **{key: compared.get(key) for key in ("difference", "low", "high", "method", "wins", "ties", "losses")},
        "n": rows[0] if rows else None,
        **{key: described.get(key) for key in _DESCRIBED if key != "proportion"},
    }


def _score(source: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: (source or {}).get(key) for key in ("score", "low", "high", "method")}


def maximum(scale: Any, values: list[float]) -> float:
    """The end of a scale written as `0-1`, `0–100`, 100 or [0, 1]; guessed from the values where nothing is written."""
    numbers = re.findall(r"\d+(?:\.\d+)?", str(scale)) if scale is not None else []
    if numbers and float(numbers[-1]) > 0:
        return float(numbers[-1])
    top = max(values, default=1.0)
    return 1.0 if top <= 1 else 100.0 if top <= 100 else top
