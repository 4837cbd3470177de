"""Whether a judge is fit to judge: answer pairs of which one has a planted defect, judged in both orders.

A pair is right where the sound answer wins in both orders. Fewer right than nine of ten (63 of 70 for the shipped legal
rubric), and the judge is unfit: what it would say of real answers is withheld. Once the bar is out of reach, the rest
need not be asked.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metier.evaluate.judge import Contest, Vote, verdict_of
from metier.evaluate.rubric import Case, Rubric

SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Fitness:
    """How a judge did. judged: pairs with all their votes, fewer than `pairs` where the bar was out of reach before the
    end; right: those whose sound answer won in both orders; bar: as many as it needs; by_dimension: right and judged of
    each dimension's pairs; first_place: share of readable, decided votes for the answer shown first."""

    pairs: int
    judged: int
    right: int
    bar: int
    by_dimension: dict[str, tuple[int, int]]
    votes: int
    unreadable: int
    first_place: float | None

    @property
    def fit(self) -> bool:
        """Whether its verdict may be shown."""
        return self.pairs > 0 and self.right >= self.bar

    @property
    def hopeless(self) -> bool:
        """Whether the bar is out of reach, whatever the judge says of the pairs that are left."""
        return self.right + self.pairs - self.judged < self.bar

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON-able values."""
        return {**{name: getattr(self, name) for name in self.__slots__}, "fit": self.fit}


def contests(rubric: Rubric, cases: Sequence[Case]) -> list[Contest]:
    """One pair per case and dimension: the whole sound answer on the left, and the same with one part spoilt."""
    return [
        Contest(f"{case.name}/{key}", case.question, _whole(rubric, case, ""), _whole(rubric, case, key))
        for case in cases
        for key in rubric.keys
    ]


def _whole(rubric: Rubric, case: Case, spoilt: str) -> str:
    parts = (case.parts[key].bad if key == spoilt else case.parts[key].good for key in rubric.keys)
    return "\n\n".join(part.strip() for part in parts)


def fitness_of(pairs: Sequence[Contest], votes: Sequence[Vote], votes_per_order: int = 1) -> Fitness:
    """What the votes on the test pairs say of the judge. A pair counts once all its votes are there."""
    by_contest: dict[str, list[Vote]] = {pair.id: [] for pair in pairs}
    for vote in votes:
        by_contest[vote.contest].append(vote)
    judged = [name for name, said in by_contest.items() if len(said) >= 2 * votes_per_order]
    right = [name for name in judged if verdict_of(name, by_contest[name]).winner == "left"]
    won, seen = (Counter(_dimension(name) for name in names) for names in (right, judged))
    return Fitness(
        pairs=len(pairs),
        judged=len(judged),
        right=len(right),
        bar=math.ceil(SHARE * len(pairs)),
        by_dimension={key: (won[key], seen[key]) for key in dict.fromkeys(_dimension(pair.id) for pair in pairs)},
        votes=len(votes),
        unreadable=sum(vote.winner == "unreadable" for vote in votes),
        first_place=first_place(votes),
    )


def _dimension(name: str) -> str:
    return name.rpartition("/")[2]


def first_place(votes: Sequence[Vote]) -> float | None:
    """The share of decided votes for the answer shown first: one half for a judge without a favourite place."""
    decided = [vote for vote in votes if vote.winner in ("left", "right")]
    if not decided:
        return None
    return sum((vote.winner == "left") == (vote.order == "left_first") for vote in decided) / len(decided)
