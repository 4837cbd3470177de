"""What stands beside a verdict: everything that should make a reader careful."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from metier.evaluate.scoring import Text, both
from metier.evaluate.spec import READ_OUT

FEW_ROWS = 100
_SHARE = 0.1
_LENGTH = 1.5
_CEILING = 0.95


def cautions(result: Mapping[str, Any], prepare: Mapping[str, Any] | None, warnings: Sequence[Text]) -> list[Text]:
    """From the comparison's own figures and from what the prepare step found; each in both languages.

    warnings: about the metrics themselves, taken over.
    """
    rows, metrics = int(result["rows"]), result["metrics"]
    primary = metrics[result["primary"]]
    found = [*_prepared(prepare), *warnings]
    if primary["n"] < FEW_ROWS:
        found.append(both("caution.few_rows", count=primary["n"], few=FEW_ROWS))
    found += _readable(result, rows)
    found += _extremes(primary)
    found += _length(result["lengths"])
    if len(metrics) > 1:
        found.append(both("caution.many_metrics", count=len(metrics), metric=result["primary"]))
    against = [name for name, one in metrics.items() if name != result["primary"] and _opposed(one, primary)]
    if against:
        found.append(both("caution.disagree", metrics=", ".join(against), metric=result["primary"]))
    guard_rows = int(result["guard_rows"])
    if 0 < guard_rows < FEW_ROWS:
        found.append(both("caution.small_guard", count=guard_rows))
    return found


def _prepared(prepare: Mapping[str, Any] | None) -> list[Text]:
    """Leaks and cut answers by row number."""
    if prepare is None:
        return [both("caution.not_prepared")]
    found = []
    leaks = prepare.get("leaks") or []
    if leaks:
        named = ", ".join(
            f"{leak.get('test_row')} ← {leak.get('train_row')}" for leak in leaks[:5] if isinstance(leak, dict)
        )
        found.append(both("caution.leaks", count=len(leaks), rows=named + ("…" if len(leaks) > 5 else "")))
    truncated = prepare.get("truncated") or {}
    for key in ("answers", "rows"):
        cut = truncated.get(key) or [] if isinstance(truncated, dict) else []
        if cut and (key == "answers" or cut != truncated.get("answers")):
            named = ", ".join(str(row) for row in cut[:5]) + ("…" if len(cut) > 5 else "")
            found.append(both(f"caution.truncated_{key}", count=len(cut), rows=named))
    return found


def _readable(result: Mapping[str, Any], rows: int) -> list[Text]:
    found = []
    for key in ("unreadable", "empty", "cut", "thinking_unfinished"):
        base, tuned = (int(result["counts"][side][key]) for side in ("base", "tuned"))
        of = max((one["n"] for name, one in result["metrics"].items() if name in READ_OUT), default=rows)
        of = of if key == "unreadable" else rows
        if max(base, tuned) >= max(1, _SHARE * of):
            found.append(both(f"caution.{key}", base=base, tuned=tuned, rows=of))
    return found


def _extremes(primary: Mapping[str, Any]) -> list[Text]:
    maximum = float(str(primary["scale"]).rsplit("-", maxsplit=1)[-1])
    shares = [primary[side]["score"] / maximum for side in ("base", "tuned")]
    if min(shares) >= _CEILING:
        return [both("caution.ceiling")]
    if max(shares) == 0.0:
        return [both("caution.floor")]
    if primary["ties"] == primary["n"]:
        return [both("caution.all_ties")]
    return []


def _length(lengths: Mapping[str, Mapping[str, float]]) -> list[Text]:
    base, tuned = (lengths[side]["characters"] for side in ("base", "tuned"))
    low, high = sorted((base, tuned))
    if high and (low == 0 or high / low >= _LENGTH):
        return [both("caution.length", base=f"{base:.0f}", tuned=f"{tuned:.0f}")]
    return []


def _opposed(one: Mapping[str, Any], primary: Mapping[str, Any]) -> bool:
    """Whether a metric certainly moved against the direction of the deciding one."""
    return bool(one["high"] < 0 < primary["difference"] or one["low"] > 0 > primary["difference"])
