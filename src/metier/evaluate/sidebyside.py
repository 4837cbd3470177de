"""Rows side by side: where the tuned model lost most, and where it gained most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from metier.evaluate.predictions import Row
from metier.evaluate.scoring import Scored
from metier.evaluate.spec import READ_OUT

_TEXT = 6000
# After the deciding metric: right or wrong first, then how much of the reference is there.
_ORDER = (*READ_OUT, "contains", "exact_match", "rougel_answer", "chrf", "token_f1", "rougel")


def side_by_side(
    base: Sequence[Row],
    tuned: Sequence[Row],
    base_scored: Mapping[str, Scored],
    tuned_scored: Mapping[str, Scored],
    primary: str,
    limit: int,
) -> dict[str, list[dict[str, Any]]]:
    """`worst`: rows with the largest losses first; `best`: with the largest gains first; at most `limit` each."""
    names = [name for name in dict.fromkeys((primary, *_ORDER)) if name in base_scored]
    tables = {name: (base_scored[name].by_place(), tuned_scored[name].by_place()) for name in base_scored}
    changes: list[tuple[tuple[float, ...], int]] = []
    for place in range(len(base)):
        change = []
        for name in names:
            before, after = tables[name][0].get(place), tables[name][1].get(place)
            if before is None or after is None or before.value is None or after.value is None:
                change.append(0.0)
            else:
                change.append((after.value - before.value) / base_scored[name].metric.maximum)
        changes.append((tuple(change), place))
    zero = (0.0,) * len(names)
    losses = sorted((change, place) for change, place in changes if change < zero)
    gains = sorted(((tuple(-value for value in change), place) for change, place in changes if change > zero))

    def show(place: int) -> dict[str, Any]:
        return _shown(base[place], tuned[place], place, tables)

    return {
        "worst": [show(place) for _, place in losses[:limit]],
        "best": [show(place) for _, place in gains[:limit]],
    }


def _shown(base: Row, tuned: Row, place: int, tables: Mapping[str, Any]) -> dict[str, Any]:
    measures = {name: (before.get(place), after.get(place)) for name, (before, after) in tables.items()}
    read = next((measures[name] for name in READ_OUT if name in measures and all(measures[name])), None)
    return {
        "id": base.id,
        "row": base.meta.get("row", base.row or base.line),
        "kind": base.kind,
        "prompt": _text(base.prompt),
        "label": _text(base.label),
        "base": _text(base.predict),
        "tuned": _text(tuned.predict),
        "gold": base.gold,
        "images": list(base.images),
        "extracted": {"base": read[0].extracted, "tuned": read[1].extracted} if read else None,
        "scores": {
            name: {"base": before.value, "tuned": after.value}
            for name, (before, after) in measures.items()
            if before is not None and after is not None
        },
    }


def _text(text: str) -> str:
    """Fit for a file: lone surrogates made visible, very long texts cut."""
    shown = text.encode("utf-8", "replace").decode("utf-8")
    return shown if len(shown) <= _TEXT else f"{shown[:_TEXT]}…"
