"""Joining ranked lists by ranks alone: scores of words and of vectors cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence

_STEEPNESS = 60  # Cormack, Clarke, Büttcher 2009: reciprocal rank fusion


def reciprocal_ranks(*rankings: Sequence[str]) -> dict[str, float]:
    """Each id's score over all rankings, the best first; an id in none of the upper places scores little."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, one in enumerate(ranking, 1):
            scores[one] = scores.get(one, 0.0) + 1.0 / (_STEEPNESS + rank)
    return dict(sorted(scores.items(), key=lambda item: -item[1]))
