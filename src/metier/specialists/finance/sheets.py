"""Tables as sheets of figures: each cell with what its row and columns say of it, its period, unit, scale and place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from metier.specialists.finance.amounts import Amount
from metier.specialists.finance.periods import Period

if TYPE_CHECKING:
    from metier.knowledge.document import Box


@dataclass(frozen=True, slots=True)
class Place:
    """Where a figure stands. page: 1-based; box: on its page; table: number in the document, from 1; cell: as a
    spreadsheet names it; start, end: characters of the document's text."""

    page: int = 1
    box: Box | None = None
    table: int = 0
    cell: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A figure of a table. amount: read from its cell, with the scale and currency that its table says; label: of its
    row, with the section above; column: what stands over it; periods: that row and columns name; share: whether it is
    a share or change though no % stands in the cell."""

    amount: Amount
    label: str
    column: str
    row_number: int
    column_number: int
    period: Period | None
    place: Place
    share: bool = False
    change: bool = False
    row_period: bool = False
    sheet: int = 1

    @property
    def name(self) -> str:
        """What the figure is of: its row, or its column where rows are periods."""
        return self.column if self.row_period else self.label


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table whose cells are read. scale, currency: of its amounts, None and empty where nothing says so; scales: all
    that what stands above or near it names."""

    title: str
    entries: tuple[Entry, ...]
    labels: tuple[str, ...]
    scale: int | None = None
    currency: str = ""
    unit: str = ""
    page: int = 1
    number: int = 1
    rows: tuple[tuple[str, ...], ...] = ()
    place: Place = field(default_factory=Place)
    scales: frozenset[int] = frozenset()

    def row(self, number: int) -> list[Entry]:
        """The figures of a row, from left to right."""
        return [entry for entry in self.entries if entry.row_number == number]

    def column(self, number: int) -> list[Entry]:
        """The figures of a column, from above."""
        return [entry for entry in self.entries if entry.column_number == number]

    def periods(self) -> list[Period]:
        """The periods of its figures, the earliest first."""
        return sorted({entry.period for entry in self.entries if entry.period}, key=str)

    def lines(self) -> list[Line]:
        """What it tells over time: a line a row, or a column where rows are periods."""
        found: dict[tuple[str, int], list[Entry]] = {}
        for entry in self.entries:
            found.setdefault((entry.name, -entry.column_number if entry.row_period else entry.row_number), []).append(
                entry
            )
        return [Line(name, tuple(entries)) for (name, _), entries in found.items()]


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one thing in a table."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def short(self) -> str:
        """The name without the section above it."""
        return self.name.rpartition(" / ")[2].strip()

    def over_time(self) -> list[Entry]:
        """Its figures of known periods of one kind, the earliest first; of a period the first that stands there."""
        dated: dict[Period, Entry] = {}
        for entry in self.entries:
            if entry.period and not entry.change:
                dated.setdefault(entry.period, entry)
        kinds = [bool(period.part) and period.part[0] in "QH9" for period in dated]
        wanted = kinds.count(True) > kinds.count(False)
        kept = [entry for period, entry in dated.items() if (bool(period.part) and period.part[0] in "QH9") == wanted]
        units = [entry.amount.unit for entry in kept]
        return sorted((entry for entry in kept if entry.amount.unit == units[0]), key=lambda entry: str(entry.period))

    def at(self, period: Period) -> Entry | None:
        """Its figure of a period."""
        return next((entry for entry in self.over_time() if entry.period and period.covers(entry.period)), None)


def cell_name(row: int, column: int) -> str:
    """A cell as spreadsheets name it: `B3`. row, column: from 0."""
    letters, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"
