"""Series over time from CSV, XLSX and parquet: a column of days or periods, and columns of values."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from metier.core.errors import DataError
from metier.specialists.finance.amounts import read_cell
from metier.specialists.finance.periods import read_period

if TYPE_CHECKING:
    from metier.knowledge.document import Document

FEWEST = 8  # points that make a series
MOST_ROWS = 500_000
PARQUET = (".parquet", ".pq")
_ROLES = {
    "open": re.compile(r"^(?:open(?:ing)?|开盘)", re.IGNORECASE),
    "high": re.compile(r"^(?:high|最高)", re.IGNORECASE),
    "low": re.compile(r"^(?:low|最低)", re.IGNORECASE),
    "close": re.compile(r"^(?:adj\.? ?close|close|closing|收盘|最新价)", re.IGNORECASE),
    "volume": re.compile(r"^(?:vol|volume|成交量)", re.IGNORECASE),
}
_DAY = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d\d)(\d\d))(?:[ T].*)?")
_ENDS = {"H1": (6, 30), "H2": (12, 31), "Q1": (3, 31), "Q2": (6, 30), "Q3": (9, 30), "Q4": (12, 31), "9M": (9, 30)}


@dataclass(frozen=True, slots=True)
class Series:
    """Values over time, the earliest first.

    days: of each point (of a period its last month's); labels: as the file writes them; columns: name → values, NaN
    where a cell is empty; rows, letters: the row of each point and the letter of each column in the file.
    """

    name: str
    days: tuple[date, ...]
    labels: tuple[str, ...]
    columns: dict[str, tuple[float, ...]]
    rows: tuple[int, ...]
    letters: dict[str, str]
    left_out: int = 0

    @property
    def points_a_year(self) -> int:
        """252 trading days, 52 weeks, 12 months, 4 quarters, 2 halves or 1, by the usual distance of two points."""
        gaps = [(later - earlier).days for earlier, later in zip(self.days, self.days[1:], strict=False)]
        gap = median(gaps) if gaps else 365
        return next((points for most, points in ((4, 252), (10, 52), (45, 12), (140, 4), (250, 2)) if gap <= most), 1)

    def role(self, name: str) -> str | None:
        """The column that is the day's open, high, low, close or volume."""
        return next((column for column in self.columns if _ROLES[name].match(column.strip())), None)

    @property
    def is_price(self) -> bool:
        """Whether it has open, high, low and close, as candles need."""
        return all(self.role(name) for name in ("open", "high", "low", "close"))

    def place(self, column: str, point: int) -> str:
        """The cell of a point, as a spreadsheet names it."""
        return f"{self.letters[column]}{self.rows[point]}"


def series_in(document: Document) -> Series | None:
    """The series in the first table of a CSV or XLSX that is one; None where none is."""
    from metier.knowledge.draft import CELL_BREAK

    for table in document.tables:
        lines = document.text[table.start : table.end].split("\n")
        grid = [line.split(CELL_BREAK) for line in lines]
        numbers = table.lines or tuple(range(1, len(grid) + 1))
        if made := _series(document.name, grid[0], grid[1:], numbers[1:]):
            return made
    return None


def read_parquet_series(path: Path) -> Series:
    """The series in a parquet file. Raises DataError for a file that is none, too long, or without days and values."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        if file.metadata.num_rows > MOST_ROWS:
            raise DataError("specialists.finance_series_long", file=path.name, limit=MOST_ROWS)
        table = file.read().to_pydict()
    except (pa.ArrowException, OSError) as error:
        raise DataError("knowledge.reading_damaged", file=path.name, problem=error) from error
    names = list(table)
    rows = [["" if value is None else str(value) for value in row] for row in zip(*table.values(), strict=True)]
    made = _series(path.name, names, rows, range(2, len(rows) + 2))
    if made is None:
        raise DataError("specialists.finance_no_series", file=path.name)
    return made


def _series(name: str, header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> Series | None:
    """A series, where one column holds days or periods and another numbers in nearly every row."""
    if len(rows) < FEWEST:
        return None
    width = len(header)
    full = [list(row) + [""] * (width - len(row)) for row in rows]
    when = next((column for column in range(min(width, 3)) if _share_of_days(full, column) > 0.9), None)
    if when is None:
        return None
    points = sorted(
        (day, row[when], number, row) for number, row in zip(numbers, full, strict=False) if (day := _day(row[when]))
    )
    columns: dict[str, tuple[float, ...]] = {}
    letters: dict[str, str] = {}
    for column, title in enumerate(header):
        values = [_number(row[column]) for *_, row in points]
        if column != when and title.strip() and sum(not math.isnan(value) for value in values) > 0.5 * len(values):
            columns[title.strip()] = tuple(values)
            letters[title.strip()] = _letter(column)
    if not columns or len({day for day, *_ in points}) < FEWEST or len({day for day, *_ in points}) < len(points):
        return None
    days, labels, lines = (tuple(point[part] for point in points) for part in range(3))
    return Series(name, days, labels, columns, lines, letters, len(full) - len(points))  # type: ignore[arg-type]


def _share_of_days(rows: Sequence[Sequence[str]], column: int) -> float:
    some = rows[:: max(1, len(rows) // 200)]
    return sum(_day(row[column]) is not None for row in some) / len(some)


def _day(text: str) -> date | None:
    """A day, or the last day of a period."""
    text = text.strip()
    if match := _DAY.fullmatch(text):
        try:
            return date(int(match[1]), int(match[2] or match[4]), int(match[3] or match[5]))
        except ValueError:
            return None
    if re.fullmatch(r"\d{4}[-/.]\d{1,2}", text):
        year, month = re.split(r"[-/.]", text)
        return date(int(year), int(month), 1) if 1 <= int(month) <= 12 else None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        period = read_period(text) if len(text) < 30 else None
    if period is None:
        return None
    if period.part[:2].isdigit():
        return date(period.year, int(period.part[:2]), int(period.part[3:] or 1))
    return date(period.year, *_ENDS.get(period.part, (12, 31)))


def _number(text: str) -> float:
    amount = read_cell(text)
    if amount is None:
        try:
            return float(text)
        except ValueError:
            return math.nan
    return float(amount.value)


def _letter(column: int) -> str:
    from metier.specialists.finance.sheets import cell_name

    return cell_name(0, column)[:-1]
