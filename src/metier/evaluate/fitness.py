"""Whether a judge is fit to judge: answer pairs of which one has a planted defect, judged in both orders.

A pair is right where the sound answer wins in both orders. Fewer right than nine of ten (63 of 70 for the shipped legal
rubric), and the judge is unfit: what it would say of real answers is withheld. A pair that is lost in one order needs
no more votes; once the bar is out of reach, or none of the judge's first replies is a verdict, the rest is not asked.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metier.evaluate.judge import ORDERS, Contest, Vote, verdict_of
from metier.evaluate.rubric import Case, Rubric

SHARE = 0.9
FIRST_REPLIES = 4  # if none of so many can be read, and no other either, the judge does not know the form


@dataclass(frozen=True, slots=True)
class Fitness:
    """How a judge did. judged: decided pairs, fewer than `pairs` where the judge was found unfit before the end; right:
    those whose sound answer won in both orders; bar: as many as it needs; by_dimension: right and judged of each
    dimension's pairs; first_place: share of readable, decided votes for the answer shown first."""

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
        """Whether the judge is unfit, whatever it would say of the pairs that are left."""
        mute = self.votes >= FIRST_REPLIES and self.unreadable == self.votes
        return mute or self.right + self.pairs - self.judged < self.bar

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
    """What the votes on the test pairs say of the judge. A pair counts once it is decided."""
    by_contest: dict[str, list[Vote]] = {pair.id: [] for pair in pairs}
    for vote in votes:
        by_contest[vote.contest].append(vote)
    whole = [name for name, said in by_contest.items() if len(said) >= 2 * votes_per_order]
    right = [name for name in whole if verdict_of(name, by_contest[name]).winner == "left"]
    judged = [name for name, said in by_contest.items() if name in whole or is_lost(said, votes_per_order)]
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


def is_lost(said: Sequence[Vote], votes_per_order: int) -> bool:
    """Whether a test pair cannot be right any more: in one order, too few votes are left for the sound answer."""
    for order in ORDERS:
        against = sum(vote.winner != "left" for vote in said if vote.order == order)
        if 2 * (votes_per_order - against) <= votes_per_order:
            return True
    return False


def _dimension(name: str) -> str:
    return name.rpartition("/")[2]


def first_place(votes: Sequence[Vote]) -> float | None:
    """The share of decided votes for the answer shown first: one half for a judge without a favourite place."""
    decided = [vote for vote in votes if vote.winner in ("left", "right")]
    if not decided:
        return None
    return sum((vote.winner == "left") == (vote.order == "left_first") for vote in decided) / len(decided)
