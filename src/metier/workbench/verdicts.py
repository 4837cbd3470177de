"""What a blind review found: wins and ties with an interval, who said what, and how far the reviewers agree."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from metier.evaluate.agreement import krippendorff_alpha, raw_agreement, sign_test
from metier.workbench.exports import as_csv, cell

CONFIDENCE_Z = 1.959963984540054  # of a two-sided 95 % interval


@dataclass(frozen=True)
class Vote:
    """One reviewer's word on one row. choice: `base` (the first run's answer), `tuned` (the second's), `both` good,
    `neither` good; dimensions: the same for each dimension of the review's rubric."""

    row: int
    reviewer_id: str
    reviewer: str
    choice: str
    reason: str
    created: datetime
    dimensions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class InDimension:
    """What was found in one dimension, counted as the whole is."""

    key: str
    wins: int
    losses: int
    ties: int
    share: tuple[float, float, float] | None
    alpha: float | None
    agreement: float | None


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
    dimensions: list[InDimension]

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


def results_of(votes: Sequence[Vote], total: int, dimensions: Sequence[str] = ()) -> Results:
    """Counts the votes. A row is won by the run that more of its reviewers preferred; else it is a tie.

    dimensions: keys of the rubric's, each counted in the same way.
    """
    by_row: dict[int, list[Vote]] = defaultdict(list)
    for vote in votes:
        by_row[vote.row].append(vote)
    units = [[vote.choice for vote in said] for said in by_row.values()]
    wins, losses = _won(units)
    disagreements = [(row, said) for row, said in sorted(by_row.items()) if len({vote.choice for vote in said}) > 1]
    return Results(
        votes=votes,
        total=total,
        wins=wins,
        losses=losses,
        ties=len(units) - wins - losses,
        share=_share(wins, wins + losses),
        p=sign_test(wins, losses) if wins + losses else None,
        alpha=krippendorff_alpha(units),
        agreement=raw_agreement(units),
        shared_rows=sum(len(said) > 1 for said in units),
        reviewers=_by_reviewer(votes),
        disagreements=disagreements,
        dimensions=[_in_dimension(key, by_row.values()) for key in dimensions],
    )


def _in_dimension(key: str, rows: Iterable[Sequence[Vote]]) -> InDimension:
    units = [[vote.dimensions[key] for vote in said if key in vote.dimensions] for said in rows]
    units = [unit for unit in units if unit]
    wins, losses = _won(units)
    return InDimension(
        key,
        wins,
        losses,
        len(units) - wins - losses,
        _share(wins, wins + losses),
        krippendorff_alpha(units),
        raw_agreement(units),
    )


def _won(units: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Rows that the second run won, and those that the first did."""
    leads = [sum({"tuned": 1, "base": -1}.get(choice, 0) for choice in unit) for unit in units]
    return sum(lead > 0 for lead in leads), sum(lead < 0 for lead in leads)


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
    votes = list(votes)
    keys = list(dict.fromkeys(key for vote in votes for key in vote.dimensions))
    lines: list[list[Any]] = [["row", "reviewer", "choice", "reason", "time", *keys]]
    for vote in votes:
        view = vote_view(vote)
        named = view.pop("dimensions", {})
        lines.append([cell(value) for value in (*view.values(), *(named.get(key, "") for key in keys))])
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
        **({"dimensions": dict(vote.dimensions)} if vote.dimensions else {}),
    }
