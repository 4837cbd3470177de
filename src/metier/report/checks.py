"""What was checked about data and answers, as stamps: fine, worth a look, a problem, not checked."""

from __future__ import annotations

from typing import Any

from metier.report.charts.scale import is_number
from metier.report.inputs import Inputs

ROWS_NAMED = 8
_WHERE_FOUND = ("cut", "thinking_unfinished")  # stamped only where they occur


def checks(inputs: Inputs) -> list[dict[str, Any]]:
    """One entry a check: name, state (`ok` `note` `problem` `unknown`), count, and the row numbers."""
    prepare = inputs.prepare
    truncated = (prepare or {}).get("truncated")
    truncated = truncated if isinstance(truncated, dict) else {}
    found = [
        _check("leaks", None if prepare is None else prepare.get("leaks"), "problem", _leak),
        _check("truncated_answers", None if prepare is None else truncated.get("answers"), "problem"),
        _check("truncated_rows", None if prepare is None else truncated.get("rows"), "note"),
        _check("duplicates", None if prepare is None else prepare.get("duplicates"), "note", _pair),
        _check("near_duplicates", None if prepare is None else prepare.get("near_duplicates"), "note", _pair),
        _check("empty_rows", None if prepare is None else prepare.get("empty"), "note"),
    ]
    for name in ("unusable", "test_unusable"):
        if prepare is not None and prepare.get(name):
            found.append(_check(name, prepare[name], "problem", _row_number))
    for name in ("empty", "unreadable", *(name for name in _WHERE_FOUND if _any_count(inputs, name))):
        found += [_counted(f"{name}_{side}", _side(inputs, side), name) for side in ("base", "tuned")]
    return found


def _side(inputs: Inputs, side: str) -> dict[str, Any]:
    """Counts and rows of one model's answers, from its scores or, where they are missing, from the comparison."""
    metrics = inputs.metrics_base if side == "base" else inputs.metrics_tuned
    compare = inputs.compare or {}
    return metrics or {"counts": (compare.get("counts") or {}).get(side), "rows": compare.get("rows")}


def _any_count(inputs: Inputs, name: str) -> bool:
    return any(bool((_side(inputs, side).get("counts") or {}).get(name)) for side in ("base", "tuned"))


def lengths(inputs: Inputs) -> dict[str, Any] | None:
    """Token counts of rows and of answers, and where rows are cut; None without `prepare.json`."""
    prepare = inputs.prepare
    if prepare is None:
        return None
    return {
        "rows": prepare.get("rows"),
        "examples": prepare.get("examples"),
        "unit": "characters" if prepare.get("unit") == "characters" else "tokens",
        "cutoff_len": _cutoff(inputs),
        "tokens": _counts(prepare.get("tokens")),
        "answer_tokens": _counts(prepare.get("answer_tokens")),
    }


def _counts(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    pairs = [pair for pair in value.get("histogram") or [] if isinstance(pair, list) and len(pair) >= 2]
    return {**{key: value.get(key) for key in ("total", "mean", "max")}, "histogram": pairs}


def _cutoff(inputs: Inputs) -> int | None:
    """From the check itself, else from the parameters of the steps."""
    for source in (inputs.prepare or {}, *(one.spec for one in inputs.steps if one.name in ("prepare", "train"))):
        if is_number(source.get("cutoff_len")):
            return int(source["cutoff_len"])
    return None


def _check(name: str, found: Any, state: str, describe: Any = str) -> dict[str, Any]:
    if is_number(found):
        return _entry(name, int(found), state, [])
    if not isinstance(found, list):
        return {"name": name, "state": "unknown", "count": None, "of": None, "rows": [], "rows_left_out": 0}
    return _entry(name, len(found), state, [str(describe(one)) for one in found[:ROWS_NAMED]])


def _counted(name: str, metrics: dict[str, Any], key: str) -> dict[str, Any]:
    value = (metrics.get("counts") or {}).get(key)
    if isinstance(value, dict):  # one count for each metric: the largest tells how many rows are concerned at least
        value = max((one for one in value.values() if is_number(one)), default=0)
    entry = _check(name, value, "note")
    return {**entry, "of": metrics.get("rows"), "rows_left_out": 0}


def _entry(name: str, count: int, state: str, rows: list[str]) -> dict[str, Any]:
    state = state if count else "ok"
    return {"name": name, "state": state, "count": count, "of": None, "rows": rows, "rows_left_out": count - len(rows)}


def _row_number(one: Any) -> str:
    return str(one.get("row", "?")) if isinstance(one, dict) else str(one)


def _leak(one: Any) -> str:
    if not isinstance(one, dict):
        return _pair(one)
    score = one.get("score")
    near = f" ({score:.2f})" if one.get("kind") == "near" and score is not None and is_number(score) else ""
    return f"{one.get('train_row', '?')} ↔ {one.get('test_row', '?')}{near}"


def _pair(one: Any) -> str:
    if not isinstance(one, list) or len(one) < 2:
        return str(one)
    near = f" ({float(one[2]):.2f})" if len(one) > 2 and is_number(one[2]) else ""
    return f"{one[0]} ↔ {one[1]}{near}"
