"""The verdict in plain words, made from intervals alone.

The deciding metric says better or worse only where the interval of its difference leaves 0 out. Two further doors:
choices must be answered better than by guessing, and a text score must gain more than it gains against other rows'
references.
A clear loss on the guard makes a gain mixed, and no gain worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from metier.core.i18n import LANGUAGES, Language, translate
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
    kept = guard.get("correct") or next(iter(guard.values()), None)
    outcome = _outcome(0 if held_back else direction, kept is not None and _direction(kept) < 0)
    main = "held_back" if held_back else {1: "gain", -1: "loss", 0: "none"}[direction]
    sentences = [_say(main, entry, metric=primary, confidence=f"{confidence:.0%}", outcome=outcome)]
    if entry["n"] < TOO_FEW:
        sentences.append(both("verdict.too_few", count=entry["n"]))
    if held_back == "chance":
        sentences.append(_say("chance", entry, chance=f"{facts['chance']:.1%}"))
    if held_back == "style":
        sentences.append(_style(entry, facts["control"]))
    sentences.append(both("verdict.rows", wins=entry["wins"], ties=entry["ties"], losses=entry["losses"]))
    sentences.append(_say(f"guard_{_kept(kept)}", kept) if kept else both("verdict.guard_missing"))
    sentences.append(both("verdict.limits_right" if METRICS.get(primary).proportion else "verdict.limits_text"))
    return {"outcome": outcome, "metric": primary, "sentences": sentences}


def _direction(entry: Compared) -> int:
    """1 for a clear gain, -1 for a clear loss, 0 where the interval includes 0."""
    return 1 if entry["low"] > 0 else -1 if entry["high"] < 0 else 0


def _kept(guard: Compared) -> str:
    return {1: "gained", -1: "lost", 0: "kept"}[_direction(guard)]


def _outcome(direction: int, guard_lost: bool) -> Outcome:
    if direction > 0:
        return "mixed" if guard_lost else "better"
    return "worse" if direction < 0 or guard_lost else "no_improvement"


def _held_back(entry: Compared, direction: int, facts: Mapping[str, Any]) -> str | None:
    """Why a clear gain is no improvement: `chance` or `style`."""
    if direction <= 0:
        return None
    chance, control = facts.get("chance"), facts.get("control")
    if chance is not None and entry["tuned"]["low"] <= chance:
        return "chance"
    return "style" if control is not None and control["low"] <= 0 else None


def _style(entry: Compared, control: Compared) -> Text:
    beyond = {
        **entry,
        "difference": control["gain_on_other_references"],
        "low": control["low"],
        "high": control["high"],
    }
    return _say("style", beyond)


def _say(key: str, entry: Compared, *, metric: str = "", outcome: str = "", **fields: Any) -> Text:
    """A sentence with the entry's figures, in each language; metric and outcome are named in it."""
    said: Text = {}
    for language in LANGUAGES:
        said[language] = translate(
            f"evaluate.verdict.{key}",
            language=language,
            n=entry["n"],
            base=_level(entry, entry["base"]["score"]),
            tuned=_level(entry, entry["tuned"]["score"]),
            tuned_low=_level(entry, entry["tuned"]["low"]),
            difference=_change(entry, entry["difference"], language),
            low=_change(entry, entry["low"]),
            high=_change(entry, entry["high"]),
            worst=_change(entry, max(0.0, -entry["low"]), language).lstrip("+"),
            metric=translate(f"evaluate.metric_name.{metric}", language=language) if metric else "",
            outcome=translate(f"evaluate.outcome.{outcome}", language=language) if outcome else "",
            **fields,
        )
    return said


def _level(entry: Compared, value: float) -> str:
    """Shares as percent, scales to 1 with three decimals, scales to 100 with two."""
    if entry["proportion"]:
        return f"{100 * value:.1f} %"
    return f"{value:.3f}" if entry["scale"] == "0-1" else f"{value:.2f}"


def _change(entry: Compared, value: float, language: Language | None = None) -> str:
    """A difference carries its sign; one of shares is in points, which are named where `language` is given."""
    if entry["proportion"]:
        points = f"{100 * value:+.1f}"
        return translate("evaluate.points", language=language, value=points) if language else points
    return f"{value:+.3f}" if entry["scale"] == "0-1" else f"{value:+.2f}"
