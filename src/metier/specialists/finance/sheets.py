"""Tables as sheets of figures: each cell with what its row and columns say of it, its period, unit, scale and place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from metier.specialists.finance.amounts import Amount, read_cell, read_currency, read_scale, read_scales
from metier.specialists.finance.periods import Period, find_periods, read_period

if TYPE_CHECKING:
    from metier.knowledge.document import Box, Cell, Document, Table

_SHARE = re.compile(r"%|％|percent|百分比|占比|比例|率(?!先)|比重|同比|环比|margin|\bROE\b|\bROA\b", re.IGNORECASE)
_CHANGE = re.compile(r"同比|环比|增减|变动|变化|change|growth|increase|decrease|variance", re.IGNORECASE)
_NOW = re.compile(r"本期|本年|本报告期|报告期末|期末|年末|current (?:year|period)|this year", re.IGNORECASE)
_BEFORE = re.compile(r"上期|上年|去年|期初|年初|prior year|previous year|last year", re.IGNORECASE)
_CAPTION = re.compile(r"(?:表|附表|table|exhibit)\s*[\d一二三四五六七八九十]", re.IGNORECASE)
_UNIT_ONLY = re.compile(r"(?:单位|币种|金额单位)[:：]|[(（]?in\s|$", re.IGNORECASE)
_LARGEST_SHARE = 1000
# Labels in which a year is part of a name, not when the figure is of.
_NAMED = re.compile(r"\bdue\b|\bnotes?\b|program|\bplans?\b|\bbonds?\b|maturing|到期|计划|债券", re.IGNORECASE)
_LABELLED = re.compile(r"[A-Za-z\u4e00-\u9fff]")


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


def read_grid(
    grid: Sequence[Sequence[str]],
    *,
    title: str = "",
    unit: str = "",
    near: Sequence[str] = (),
    number: int = 1,
    page: int = 1,
    header: int = 0,
    places: dict[tuple[int, int], Place] | None = None,
    spans: dict[tuple[int, int], int] | None = None,
    year: Period | None = None,
) -> Sheet:
    """A sheet from the texts of its cells.

    header: rows that name the columns at least; near: texts about the table, asked for the scale where the table is
    silent; places: by row and column; spans: columns that a cell goes over, where known; year: that the report is of,
    which `本期` and `期末` mean.
    """
    width = max((len(row) for row in grid), default=0)
    rows = [tuple(row) + ("",) * (width - len(row)) for row in grid]
    heads = [""] * width
    head_periods: list[Period | None] = [None] * width
    top = " ".join(" ".join(row) for row in rows[: max(header, 1)])
    scales = _scales_of([unit, title, top, *_headings(rows)]) or _scales_of(near)
    scale, currency = scales[0] if scales else None, ""
    for text in (unit, title, top, *near):
        currency = currency or read_currency(text)
    shares = _columns_of_shares(rows)
    entries: list[Entry] = []
    labels: list[str] = []
    section, body, above_header = "", False, True
    for index, row in enumerate(rows):
        amounts = {column: read_cell(text) for column, text in enumerate(row) if column or not _LABELLED.search(text)}
        figures = {column: amount for column, amount in amounts.items() if amount is not None and column}
        label = row[0].strip()
        if not figures or index < header:
            said = [text.strip() for text in row[1:]]
            if any(said) and (above_header or any(find_periods(" ".join(said))) or not label):
                if body:
                    heads, head_periods, body = [""] * width, [None] * width, False
                _name_columns(row, heads, head_periods, index, spans, year)
            elif label:
                section = label
            above_header = above_header and not label
            continue
        body, above_header = True, False
        own = [] if _NAMED.search(label) else find_periods(label) or find_periods(section)
        row_period = own[-1].period if own else None
        name = f"{section.rstrip(':： ')} / {label}" if section and label else label or section
        labels.append(name)
        for column, amount in figures.items():
            head = heads[column]
            share = amount.unit == "number" and (
                column in shares
                or bool(re.search(r"[%％]|percent", f"{label} {head}", re.IGNORECASE))
                or (bool(_SHARE.search(label)) and not amount.currency and _plain(amount))
            )
            change = bool(_CHANGE.search(head))
            place = (places or {}).get((index, column)) or Place(page, None, number, cell_name(index, column))
            entries.append(
                Entry(
                    _scaled(amount, scale, currency, share, f"{label} {head}"),
                    name,
                    head,
                    index,
                    column,
                    head_periods[column] or row_period,
                    place,
                    share,
                    change,
                    head_periods[column] is None and row_period is not None,
                    number,
                )
            )
    return Sheet(
        title, tuple(entries), tuple(labels), scale, currency, unit, page, number, tuple(rows), scales=frozenset(scales)
    )


def sheets_of(document: Document) -> list[Sheet]:
    """The tables of a document as sheets, in its order; those without any figure too."""
    year = year_of(document)
    return [_sheet(document, table, number, year) for number, table in enumerate(document.tables, 1)]


def year_of(document: Document) -> Period | None:
    """The period that a report is of: what its title or first page names first, as `2023年年度报告` does."""
    first = document.text[: document.pages[0].end] if document.pages else document.text
    return read_period(document.name) or read_period(document.title) or read_period(first[:1000])


def cell_name(row: int, column: int) -> str:
    """A cell as spreadsheets name it: `B3`. row, column: from 0."""
    letters, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


def _sheet(document: Document, table: Table, number: int, year: Period | None) -> Sheet:
    from metier.knowledge.draft import CELL_BREAK

    page = document.page_at(table.start)
    lines = document.text[table.start : table.end].split("\n")
    grid = [line.split(CELL_BREAK) for line in lines]
    places: dict[tuple[int, int], Place] = {}
    at = table.start
    for row, (line, cells) in enumerate(zip(lines, grid, strict=True)):
        start = at
        for column, text in enumerate(cells):
            named = cell_name(table.lines[row] - 1 if table.lines else row, column)
            places[row, column] = Place(page, None, number, named, start, start + len(text))
            start += len(text) + len(CELL_BREAK)
        at += len(line) + 1
    spans: dict[tuple[int, int], int] = {}
    for cell in table.cells:
        spans[cell.row, cell.column] = cell.columns
        named = cell_name(cell.row, cell.column)
        box = _box(document, cell)
        places[cell.row, cell.column] = Place(cell.page, box, number, named, cell.start, cell.end)
    before = document.text[max(0, table.start - 400) : table.start].strip().split("\n")
    caption = _caption(table, before) or _heading_before(document, table)
    near = [line for line in before[-3:] if len(line) < 300][::-1]
    sheet = read_grid(
        grid,
        title=caption,
        unit=table.unit,
        near=near,
        number=number,
        page=page,
        header=table.header,
        places=places,
        spans=spans,
        year=year,
    )
    return replace(sheet, place=Place(page, _around(document, table), number, "", table.start, table.end))


def _caption(table: Table, before: Sequence[str]) -> str:
    """What the table is called: the line above it that numbers it, or the caption that stands there unless it only
    says the unit."""
    named = [line for line in before[-4:] if _CAPTION.match(line.strip()) and len(line) < 120]
    if named:
        return named[-1].strip()
    return "" if _UNIT_ONLY.match(table.caption.strip()) else table.caption


def _heading_before(document: Document, table: Table) -> str:
    """The nearest heading above a table on its page."""
    page = document.page_at(table.start)
    above = [one for one in document.headings if one.end <= table.start and document.page_at(one.start) == page]
    return " ".join(above[-1].text.split()) if above else ""


def _box(document: Document, cell: Cell) -> Box | None:
    from metier.knowledge.document import Box

    page = next((page for page in document.pages if page.number == cell.page), None)
    if page is None or not page.width or not page.height:
        return None
    wide, high = page.width, page.height
    return Box(cell.page, cell.x0 / wide, 1 - cell.y1 / high, cell.x1 / wide, 1 - cell.y0 / high)


def _around(document: Document, table: Table) -> Box | None:
    from metier.knowledge.document import Box

    first = document.page_at(table.start)
    boxes = [box for cell in table.cells if cell.page == first and (box := _box(document, cell))]
    if not boxes:
        return None
    return Box(
        first,
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def _name_columns(
    row: Sequence[str],
    heads: list[str],
    periods: list[Period | None],
    index: int,
    spans: dict[tuple[int, int], int] | None,
    year: Period | None,
) -> None:
    """Adds a row of headings to what stands over each column. A period of one cell is that of the columns it goes
    over; where spans are not known, only of its own."""
    for column, text in enumerate(row if spans is not None else _carried(row)):
        if not text.strip() or not column:
            continue
        for over in range(column, min(len(heads), column + (spans or {}).get((index, column), 1))):
            heads[over] = f"{heads[over]} {text.strip()}".strip()
            found = read_period(text) or read_period(heads[over]) or _meant(heads[over], year)
            # `2015/2014 change` is of no period.
            periods[over] = None if _CHANGE.search(heads[over]) else _finer(periods[over], found)


def _columns_of_shares(rows: Sequence[Sequence[str]]) -> set[int]:
    """Columns in which only the first figure, and perhaps the last, says `%`, as tables of shares do: `100.0 %`."""
    found = set()
    for column in range(1, max((len(row) for row in rows), default=0)):
        amounts = [amount for row in rows if (amount := read_cell(row[column])) is not None]
        small = all(abs(one.value) <= _LARGEST_SHARE and not one.currency for one in amounts)
        if len(amounts) > 2 and amounts[0].unit == "percent" and amounts[0].value == 100 and small:
            found.add(column)
    return found


def _carried(row: Sequence[str]) -> list[str]:
    """A row of headings where it is not known how far each goes: to the next one."""
    carried = list(row[:1])
    for text in row[1:]:
        carried.append(text if text.strip() or not carried[1:] else carried[-1])
    return carried


def _meant(head: str, year: Period | None) -> Period | None:
    """What `本期` or `上年同期` is in a report of a year; a column of changes is of none."""
    if year is None or _CHANGE.search(head):
        return None
    if _BEFORE.search(head):
        return year.before()
    return year if _NOW.search(head) else None


def _finer(known: Period | None, new: Period | None) -> Period | None:
    """Of two headings over a column the one that says the year, with the part that the other says."""
    if known is None or new is None:
        return new or known
    return new if new.part or not known.part or new.year != known.year else known


def _headings(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows in which only words stand: a table says `(in millions)` in any of them."""
    for row in rows[:6]:
        if not any(read_cell(text) for text in row[1:]):
            yield " ".join(row)


def _scales_of(texts: Sequence[str]) -> list[int]:
    return [scale for text in texts for scale in read_scales(text)]


def _plain(amount: Amount) -> bool:
    return amount.scale is None and abs(amount.value) < 1000


def _scaled(amount: Amount, scale: int | None, currency: str, share: bool, words: str) -> Amount:
    """A cell's amount with what its table says of all of them; shares are never scaled."""
    if share:
        return replace(amount, unit="percent", scale=None, currency="")
    if amount.unit != "number":
        return amount
    own = read_scale(words)
    if re.search(r"per[- ]share|每股|employees|headcount|人数|员工", words, re.IGNORECASE):
        return replace(amount, scale=amount.scale or own, currency=amount.currency or currency)
    return replace(amount, scale=amount.scale or own or scale, currency=amount.currency or currency)
