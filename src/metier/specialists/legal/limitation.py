"""The period within which labour arbitration must be asked for: a year, with an exception for wages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from metier.core.errors import ConfigError
from metier.specialists.legal.articles import Article
from metier.specialists.legal.dates import add, after_weekend

ARBITRATION_LAW = "劳动争议调解仲裁法"
ClaimKind = Literal["wages", "other"]
State = Literal["not_running", "open", "expired", "unknown"]


@dataclass(frozen=True, slots=True)
class Limitation:
    """Whether a claim can still be brought.

    state: `not_running` while the employment goes on (wages), `open`, `expired`, or `unknown` where a day is missing;
    begins: the day the year is counted from; last_day: the last day of the period, the safe one to keep to;
    last_day_moved: the Monday after where it falls on a weekend; days_left: from `asked_on`; history: each day that
    began the year anew or stood still, with why; missing: what must be known.
    """

    claim: ClaimKind
    state: State
    asked_on: date
    begins: date | None
    last_day: date | None
    last_day_moved: date | None
    days_left: int | None
    history: tuple[tuple[str, date, date], ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    articles: tuple[Article, ...]


def limitation(
    claim: ClaimKind,
    asked_on: date,
    *,
    employed: bool | None = None,
    ended: date | None = None,
    known: date | None = None,
    interrupted: Sequence[date] = (),
    suspended: Sequence[tuple[date, date]] = (),
) -> Limitation:
    """When the period ends for a claim that is looked at on `asked_on`.

    employed: whether the employment goes on; ended: the day it ended; known: when the person knew, or should have
    known, of the violation; interrupted: days on which the claim was put to the other side or an authority, or was
    acknowledged; suspended: first and last days of force majeure and the like. Raises ConfigError for days that
    contradict each other.
    """
    if employed and ended is not None and ended <= asked_on:
        raise ConfigError("specialists.legal_employed_and_ended", ended=ended)
    if any(first > last for first, last in suspended):
        raise ConfigError("specialists.legal_days_reversed")
    wages = claim == "wages"
    articles = [Article(ARBITRATION_LAW, "第二十七条", "第四款" if wages else "第一款")]
    notes = ["legal_note_wages_exception" if wages else "legal_note_one_year"]
    if wages and employed and ended is None:
        return Limitation(claim, "not_running", asked_on, None, None, None, None, (), (),
                          (*notes, "legal_note_records_two_years"),
                          (*articles, Article("工资支付暂行规定", "第六条", "第三款")))  # fmt: skip
    begins = ended if wages else known
    if begins is None:
        missing = (("ended",) if employed is False else ("employed",)) if wages else ("known",)
        return Limitation(claim, "unknown", asked_on, None, None, None, None, (), missing, tuple(notes),
                          tuple(articles))  # fmt: skip
    last, history = _run(begins, interrupted, suspended)
    if interrupted:
        articles.append(Article(ARBITRATION_LAW, "第二十七条", "第二款"))
    if suspended:
        articles.append(Article(ARBITRATION_LAW, "第二十七条", "第三款"))
    moved = after_weekend(last)
    if moved != last:
        notes.append("legal_note_weekend")
        articles.append(Article("民法典", "第二百零三条"))
    left = (last - asked_on).days
    state: State = "open" if asked_on <= moved else "expired"
    if wages:
        notes.append("legal_note_records_two_years")
    return Limitation(claim, state, asked_on, begins, last, moved, left, history, (), tuple(notes), tuple(articles))


def _run(
    begins: date, interrupted: Sequence[date], suspended: Sequence[tuple[date, date]]
) -> tuple[date, tuple[tuple[str, date, date], ...]]:
    """The last day, and what moved it: (why, day, last day from then on), in order of time."""
    last = add(begins, years=1)
    history = [("begins", begins, last)]
    events: list[tuple[date, str, int]] = [(day, "interrupted", 0) for day in interrupted]
    events += [(first, "suspended", (end - first).days + 1) for first, end in suspended]
    for day, why, days in sorted(events):
        if not begins <= day <= last:
            history.append((f"{why}_too_late" if day > last else f"{why}_before", day, last))
            continue
        last = add(day, years=1) if why == "interrupted" else last + timedelta(days=days)
        history.append((why, day, last))
    return last, tuple(history)
