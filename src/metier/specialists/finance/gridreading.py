"""From the texts of cells to a sheet: what each row and column says of a figure, its period, unit and scale."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from metier.specialists.finance.amounts import Amount, read_cell, read_currency, read_scale, read_scales
from metier.specialists.finance.periods import Period, find_periods, read_period
from metier.specialists.finance.sheets import Entry, Place, Sheet, cell_name

_SHARE = re.compile(r"%|％|percent|百分比|占比|比例|率(?!先)|比重|同比|环比|margin|\bROE\b|\bROA\b", re.IGNORECASE)
_CHANGE = re.compile(r"同比|环比|增减|变动|变化|change|growth|increase|decrease|variance", re.IGNORECASE)
_NOW = re.compile(r"本期|本年|本报告期|报告期末|期末|年末|current (?:year|period)|this year", re.IGNORECASE)
_BEFORE = re.compile(r"上期|上年|去年|期初|年初|prior year|previous year|last year", re.IGNORECASE)
_LARGEST_SHARE = 1000
# Labels in which a year is part of a name, not when the figure is of.
_NAMED = re.compile(r"\bdue\b|\bnotes?\b|program|\bplans?\b|\bbonds?\b|maturing|到期|计划|债券", re.IGNORECASE)
_LABELLED = re.compile(r"[A-Za-z\u4e00-\u9fff]")


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
