"""What can be computed of the rows that a statement names: growth, difference, share, average, total."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from metier.specialists.finance import computing
from metier.specialists.finance.amounts import Unit, shown
from metier.specialists.finance.evidence import Evidence, likeness
from metier.specialists.finance.periods import Period
from metier.specialists.finance.sheets import Entry, Place, Sheet

_CHANGES = re.compile(
    r"chang|grow|grew|increas|decreas|ris|rose|fell|fall|declin|drop|up\b|down\b|higher|lower|differ|增|减|升|降|长|跌|变",
    re.IGNORECASE,
)
_SHARES = re.compile(r"percent|proportion|ratio|share|portion|account|%|占|比|率", re.IGNORECASE)
_MEANS = re.compile(r"average|mean\b|平均|均值", re.IGNORECASE)
_SUMS = re.compile(r"total|sum\b|combined|together|合计|总|共", re.IGNORECASE)
_MOST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that follows from cells. value: in ones, or in percent; scale: of the cells; working: how."""

    kind: str
    value: Decimal
    unit: Unit
    scale: int | None
    working: str
    places: tuple[Place, ...]


def computed(text: str, words: frozenset[str], periods: frozenset[Period], evidence: Evidence) -> Iterator[Candidate]:
    """What follows from the rows named in a statement, of the kinds that its words ask for."""
    for sheet in evidence.sheets:
        rows = _named_rows(sheet, words)
        for row in rows:
            own = [entry for entry in sheet.row(row) if _timely(entry, periods)]
            yield from over_time(own, text)
        if len(rows) > 1 and len(periods) <= 1:
            yield from _across(sheet, rows, text, periods)
        for row in rows:
            yield from _of_total(sheet, row, text, periods)


def over_time(entries: list[Entry], text: str) -> Iterator[Candidate]:
    """Of figures of one row: differences, growth, mean and total."""
    for one, other in combinations(entries, 2):
        if one.amount.unit != other.amount.unit:
            continue
        if _CHANGES.search(text):
            yield from _change(one, other)
            yield from _change(other, one)
    if len(entries) > 1:
        values = [entry.amount.full for entry in entries]
        places = tuple(entry.place for entry in entries)
        joined = " + ".join(shown(entry.amount.value) for entry in entries)
        unit, scale = entries[0].amount.unit, entries[0].amount.scale
        if _MEANS.search(text):
            yield Candidate(
                "average", sum(values, Decimal(0)) / len(values), unit, scale, f"({joined}) / {len(values)}", places
            )
        if _SUMS.search(text):
            yield Candidate("total", sum(values, Decimal(0)), unit, scale, joined, places)


def _change(new: Entry, old: Entry) -> Iterator[Candidate]:
    a, b = new.amount, old.amount
    places = (new.place, old.place)
    if a.unit == "percent":
        yield Candidate("points", a.value - b.value, "points", None, f"{shown(a.value)} - {shown(b.value)}", places)
        yield Candidate(
            "bps", (a.value - b.value) * 100, "bps", None, f"({shown(a.value)} - {shown(b.value)}) * 100", places
        )
    else:
        yield Candidate("difference", a.full - b.full, a.unit, a.scale, f"{shown(a.value)} - {shown(b.value)}", places)
        if (grown := computing.growth(a.full, b.full)) is not None:
            working = computing.growth_working(a.value, b.value)
            yield Candidate("growth", grown, "percent", None, working, places)


def _across(sheet: Sheet, rows: list[int], text: str, periods: frozenset[Period]) -> Iterator[Candidate]:
    """Of figures of one column: what two rows differ by, or one is of the other."""
    for column in sorted({entry.column_number for entry in sheet.entries}):
        own = [entry for entry in sheet.column(column) if entry.row_number in rows and _timely(entry, periods)]
        for one, other in combinations(own, 2):
            if one.amount.unit != other.amount.unit:
                continue
            if _SHARES.search(text):
                yield from _share(one, other)
                yield from _share(other, one)
            if _CHANGES.search(text):
                yield Candidate(
                    "difference",
                    one.amount.full - other.amount.full,
                    one.amount.unit,
                    one.amount.scale,
                    f"{shown(one.amount.value)} - {shown(other.amount.value)}",
                    (one.place, other.place),
                )
            if _SUMS.search(text):
                yield Candidate(
                    "total",
                    one.amount.full + other.amount.full,
                    one.amount.unit,
                    one.amount.scale,
                    f"{shown(one.amount.value)} + {shown(other.amount.value)}",
                    (one.place, other.place),
                )


def _of_total(sheet: Sheet, row: int, text: str, periods: frozenset[Period]) -> Iterator[Candidate]:
    """What a row is of the table's totals."""
    if not _SHARES.search(text):
        return
    for entry in sheet.row(row):
        if not _timely(entry, periods):
            continue
        for other in sheet.column(entry.column_number):
            if other.row_number != row and is_total(other.label) and other.amount.unit == entry.amount.unit:
                yield from _share(entry, other)


def _share(part: Entry, whole: Entry) -> Iterator[Candidate]:
    if (value := computing.share(part.amount.full, whole.amount.full)) is not None:
        working = f"{shown(part.amount.value)} / {shown(whole.amount.value)}"
        yield Candidate("share", value, "percent", None, working, (part.place, whole.place))


def is_total(label: str) -> bool:
    """Whether a row is called a total."""
    return bool(re.search(r"\btotal\b|合\s*计|总\s*计|总额|小\s*计", label.rpartition(" / ")[2], re.IGNORECASE))


def _named_rows(sheet: Sheet, words: frozenset[str]) -> list[int]:
    """The rows whose labels a statement says, the most alike first."""
    alike = {entry.row_number: likeness(entry.label, words) for entry in sheet.entries}
    good = sorted((row for row, value in alike.items() if value >= 0.6), key=lambda row: -alike[row])
    return good[:_MOST_ROWS]


def _timely(entry: Entry, periods: frozenset[Period]) -> bool:
    if not periods or entry.period is None:
        return True
    near = periods | {period.before() for period in periods} if len(periods) == 1 else periods
    return any(one.covers(entry.period) for one in near)
