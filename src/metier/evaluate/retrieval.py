"""What a search is worth: the ranks at which the passages that answer a question were found.

Sources: C. Manning, P. Raghavan and H. Schütze, Introduction to Information Retrieval (2008), chapter 8 (recall and
reciprocal rank); K. Järvelin and J. Kekäläinen, Cumulated gain-based evaluation of IR techniques (2002), with gains of
0 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence


def recall_at(ranked: Sequence[Collection[str]], gold: Collection[str], depth: int) -> float:
    """The share of the gold sources that the first `depth` places hold.

    ranked: for each place, the best first, the names that its passage goes by; gold: the names that should be found.
    """
    found = {name for names in ranked[:depth] for name in names if name in gold}
    return len(found) / len(gold)


def reciprocal_rank(ranked: Sequence[Collection[str]], gold: Collection[str], depth: int) -> float:
    """One over the place of the first gold source, 0 where none is among the first `depth`."""
    for place, names in enumerate(ranked[:depth], 1):
        if any(name in gold for name in names):
            return 1.0 / place
    return 0.0


def ndcg_at(ranked: Sequence[Collection[str]], gold: Collection[str], depth: int) -> float:
    """Normalised discounted cumulative gain. A gold source counts at the first place where it stands: a second piece of
    the same article gains nothing more."""
    gained, seen = 0.0, set[str]()
    for place, names in enumerate(ranked[:depth], 1):
        new = {name for name in names if name in gold} - seen
        if new:
            gained += 1.0 / math.log2(place + 1)
            seen |= new
    best = sum(1.0 / math.log2(place + 1) for place in range(1, min(len(gold), depth) + 1))
    return gained / best


Ranking = Callable[[Sequence[Collection[str]], Collection[str], int], float]
# name: what is computed, at which depth
RETRIEVAL: dict[str, tuple[Ranking, int]] = {
    "recall_at_5": (recall_at, 5),
    "recall_at_10": (recall_at, 10),
    "recall_at_100": (recall_at, 100),
    "mrr_at_10": (reciprocal_rank, 10),
    "ndcg_at_10": (ndcg_at, 10),
}
