"""The verdict in plain words, made from intervals alone.

The deciding metric says better or worse only where the interval of its difference leaves 0 out. Two further doors:
choices must be answered better than by guessing, and a text score must gain more than it gains against other rows'
references.
A certain loss on the guard makes a gain mixed, and no gain worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from metier.core.i18n import LANGUAGES, translate
from metier.evaluate.bootstrap import TOO_FEW
from metier.evaluate.metrics import METRICS
from metier.evaluate.scoring import Text, both

Outcome = Literal["better", "no_improvement", "worse", "mixed"]
Compared = Mapping[str, Any]


def verdict(
    primary: str,
    metrics: Mapping[str, Compared],
    guard: Mapping[str, Compared],
    facts: Mapping[str, Any],
    confidence: float,
) -> dict[str, Any]:
    """Outcome, deciding metric and sentences in both languages."""
    entry = metrics[primary]
    direction = _direction(entry)
    held_back = _held_back(entry, direction, facts)
    if held_back:
        direction = 0
    kept = _guard_entry(guard)
    lost = kept is not None and _direction(kept) < 0
    sentences = [_main(primary, entry, _direction(entry), held_back, confidence)]
    if entry["n"] < TOO_FEW:
        sentences.append(both("verdict.too_few", count=entry["n"]))
    if held_back:
        sentences.append(_reason(held_back, primary, entry, facts))
    sentences.append(both("verdict.rows", wins=entry["wins"], ties=entry["ties"], losses=entry["losses"]))
    sentences.append(_guard(kept))
    sentences.append(both("verdict.limits_right" if METRICS.get(primary).proportion else "verdict.limits_text"))
    return {"outcome": _outcome(direction, lost), "metric": primary, "sentences": sentences}


def _direction(entry: Compared) -> int:
    """1 for a certain gain, -1 for a certain loss, 0 where the interval includes 0."""
    return 1 if entry["low"] > 0 else -1 if entry["high"] < 0 else 0


def _outcome(direction: int, guard_lost: bool) -> Outcome:
    if direction > 0:
        return "mixed" if guard_lost else "better"
    return "worse" if direction < 0 or guard_lost else "no_improvement"


def _held_back(entry: Compared, direction: int, facts: Mapping[str, Any]) -> str | None:
    """Why a certain gain is no improvement: `chance` or `style`."""
    if direction <= 0:
        return None
    chance, control = facts.get("chance"), facts.get("control")
    if chance is not None and entry["tuned"]["low"] <= chance:
        return "chance"
    return "style" if control is not None and control["low"] <= 0 else None


def _guard_entry(guard: Mapping[str, Compared]) -> Compared | None:
    return guard.get("correct") or next(iter(guard.values()), None)


def _main(primary: str, entry: Compared, direction: int, held_back: str | None, confidence: float) -> Text:
    key = "verdict.gain" if direction > 0 else "verdict.loss" if direction < 0 else "verdict.none"
    if held_back:
        key = "verdict.held_back"
    return _say(key, entry, metric=primary, confidence=f"{confidence:.0%}")


def _reason(held_back: str, primary: str, entry: Compared, facts: Mapping[str, Any]) -> Text:
    if held_back == "chance":
        return both("verdict.chance", chance=f"{facts['chance']:.1%}", low=_number(entry, entry["tuned"]["low"]))
    control = facts["control"]
    return both(
        "verdict.style",
        elsewhere=_number(entry, control["gain_on_other_references"], signed=True),
        low=_number(entry, control["low"], signed=True),
        high=_number(entry, control["high"], signed=True),
    )


def _guard(entry: Compared | None) -> Text:
    if entry is None:
        return both("verdict.guard_missing")
    direction = _direction(entry)
    key = "verdict.guard_lost" if direction < 0 else "verdict.guard_gained" if direction > 0 else "verdict.guard_kept"
    return _say(key, entry, worst=_number(entry, min(0.0, entry["low"]), signed=True))


def _say(key: str, entry: Compared, **fields: Any) -> Text:
    """A sentence with the entry's figures and the metric's name in each language."""
    figures = {
        "n": entry["n"],
        "base": _number(entry, entry["base"]["score"]),
        "tuned": _number(entry, entry["tuned"]["score"]),
        "difference": _number(entry, entry["difference"], signed=True),
        "low": _number(entry, entry["low"], signed=True),
        "high": _number(entry, entry["high"], signed=True),
    }
    name = fields.pop("metric", None)
    said: Text = {}
    for language in LANGUAGES:
        label = translate(f"evaluate.metric_name.{name}", language=language) if name else ""
        said[language] = translate(f"evaluate.{key}", language=language, metric=label, **figures, **fields)
    return said


def _number(entry: Compared, value: float, *, signed: bool = False) -> str:
    """Shares as percent, scales to 1 with three decimals, scales to 100 with two. A difference carries its sign."""
    plus = "+" if signed else ""
    if entry.get("proportion"):
        return f"{100 * value:{plus}.1f} %" if not signed else f"{100 * value:+.1f}"
    return f"{value:{plus}.3f}" if entry["scale"] == "0-1" else f"{value:{plus}.2f}"
