"""What a blind review found: wins and ties with an interval, who said what, and how far the reviewers agree."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from metier.evaluate.agreement import krippendorff_alpha, raw_agreement, sign_test
from metier.workbench.exports import as_csv, cell

CONFIDENCE_Z = 1.959963984540054  # of a two-sided 95 % interval


@dataclass(frozen=True)
class Vote:
    """One reviewer's word on one row. choice: `base` (the first run's answer), `tuned` (the second's), `both` good,
    `neither` good."""

    row: int
    reviewer_id: str
    reviewer: str
    choice: str
    reason: str
    created: datetime


@dataclass(frozen=True)
class Results:
    """rows: by what most reviewers said of each; share: of the decided rows that the second run won, with its 95 %
    interval; p: of the sign test; alpha, agreement: None where no row has two words."""

    votes: Sequence[Vote]
    total: int
    wins: int
    losses: int
    ties: int
    share: tuple[float, float, float] | None
    p: float | None
    alpha: float | None
    agreement: float | None
    shared_rows: int
    reviewers: list[dict[str, Any]]
    disagreements: list[tuple[int, list[Vote]]]

    @property
    def judged(self) -> int:
        """Rows of which anything was said."""
        return self.wins + self.losses + self.ties

    @property
    def outcome(self) -> str:
        """`tuned`, `base`, or `open` where the interval includes one half."""
        if self.share is None:
            return "open"
        return "tuned" if self.share[1] > 0.5 else "base" if self.share[2] < 0.5 else "open"


def results_of(votes: Sequence[Vote], total: int) -> Results:
    """Counts the votes. A row is won by the run that more of its reviewers preferred; else it is a tie."""
    by_row: dict[int, list[Vote]] = defaultdict(list)
    for vote in votes:
        by_row[vote.row].append(vote)
    leads = [_lead(said) for said in by_row.values()]
    wins, losses = sum(lead > 0 for lead in leads), sum(lead < 0 for lead in leads)
    units = [[vote.choice for vote in said] for said in by_row.values()]
    disagreements = [(row, said) for row, said in sorted(by_row.items()) if len({vote.choice for vote in said}) > 1]
    return Results(
        votes=votes,
        total=total,
        wins=wins,
        losses=losses,
        ties=len(leads) - wins - losses,
        share=_share(wins, wins + losses),
        p=sign_test(wins, losses) if wins + losses else None,
        alpha=krippendorff_alpha(units),
        agreement=raw_agreement(units),
        shared_rows=sum(len(said) > 1 for said in units),
        reviewers=_by_reviewer(votes),
        disagreements=disagreements,
    )


def _lead(said: Iterable[Vote]) -> int:
    return sum({"tuned": 1, "base": -1}.get(vote.choice, 0) for vote in said)


def _share(wins: int, decided: int) -> tuple[float, float, float] | None:
    """The share of wins with Wilson's interval."""
    if not decided:
        return None
    from metier.evaluate.bootstrap import wilson  # numpy comes with it

    share = wins / decided
    return (share, *wilson(share, decided, CONFIDENCE_Z))


def _by_reviewer(votes: Iterable[Vote]) -> list[dict[str, Any]]:
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for vote in votes:
        counts[vote.reviewer, vote.reviewer_id][vote.choice] += 1
    return [
        {
            "reviewer": name,
            **{choice: found[choice] for choice in ("base", "tuned", "both", "neither")},
            "rows": found.total(),
        }
        for (name, _), found in sorted(counts.items())
    ]


def votes_csv(votes: Iterable[Vote]) -> bytes:
    """All votes for a table."""
    lines: list[list[Any]] = [["row", "reviewer", "choice", "reason", "time"]]
    lines += [[cell(value) for value in vote_view(vote).values()] for vote in votes]
    return b"".join(as_csv(lines))


def votes_jsonl(votes: Iterable[Vote]) -> bytes:
    """All votes, one JSON object a line."""
    return "".join(json.dumps(vote_view(vote), ensure_ascii=False) + "\n" for vote in votes).encode("utf-8", "replace")


def vote_view(vote: Vote) -> dict[str, Any]:
    """A vote as the API shows it. Rows count from 1."""
    return {
        "row": vote.row + 1,
        "reviewer": vote.reviewer,
        "choice": vote.choice,
        "reason": vote.reason,
        "time": vote.created.isoformat(timespec="seconds"),
    }
