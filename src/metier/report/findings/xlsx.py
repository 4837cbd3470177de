"""Findings as XLSX: the findings, every figure with its full value and a link to its cell, and the tables re-typed."""

from __future__ import annotations

import io
import re
from typing import Any

from metier.report.findings.words import Words
from metier.specialists.finance.amounts import read_cell
from metier.specialists.finance.schema import KINDS, Exhibit, Figure, Findings, Spot

_HEAD = "1F5FBF"
_LINK = "0563C1"
_UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_CELL = re.compile(r"([A-Z]+)(\d+)")


def findings_xlsx(findings: Findings) -> bytes:
    """The bytes of the file."""
    from openpyxl import Workbook

    words = Words(findings)
    book = Workbook()
    names = {one.table or -one.number: words.say("sheet", number=one.number) for one in findings.exhibits}
    first = book.active
    _findings(first, findings, words)
    _figures(book.create_sheet(words.say("figures")), findings, words, names)
    if findings.rules:
        _rules(book.create_sheet(words.say("rules")), findings, words)
    for exhibit in findings.exhibits:
        _exhibit(book.create_sheet(words.say("sheet", number=exhibit.number)), exhibit)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _findings(sheet: Any, findings: Findings, words: Words) -> None:
    sheet.title = words.say("title")[:31]
    _head(sheet, [words.say("kind"), words.say("finding"), words.say("warnings"), words.say("place")], [16, 90, 50, 26])
    for kind in KINDS:
        for one in findings.of(kind):
            place = words.place(one.place) if one.place else ""
            _row(sheet, [words.kind(kind), one.text, "\n".join(flag.text for flag in one.flags), place])


def _rules(sheet: Any, findings: Findings, words: Words) -> None:
    keys = ("rule", "status", "finding", "evidence", "place")
    _head(sheet, [words.say(key) for key in keys], [50, 14, 50, 90, 26])
    for one in findings.rules:
        quotes = "\n".join(quote.text for quote in one.evidence)
        places = "\n".join(words.place(quote.place) for quote in one.evidence)
        _row(sheet, [one.rule, words.say("rule_" + one.status), one.text, quotes, places])


def _figures(sheet: Any, findings: Findings, words: Words, names: dict[int, str]) -> None:
    keys = ("figure", "period", "value", "unit", "scale", "currency", "full", "source", "working", "place", "used_in")
    _head(sheet, [words.say(key) for key in keys], [34, 12, 16, 10, 14, 10, 20, 12, 40, 26, 16])
    rows: list[tuple[Figure, str]] = []
    for exhibit in findings.exhibits:
        rows += [(figure, words.say("sheet", number=exhibit.number)) for figure in exhibit.figures]
    for one in findings.findings:
        rows += [(figure, words.kind(one.kind)) for figure in one.figures if figure.source != "cell"]
    for figure, used in rows:
        _row(
            sheet,
            [
                figure.label,
                figure.period,
                float(figure.value),
                figure.unit,
                figure.scale,
                figure.currency,
                float(figure.full),
                words.source(figure),
                figure.working,
                words.places(figure),
                used,
            ],
        )
        if figure.places:
            _link(sheet.cell(sheet.max_row, 10), figure.places[0], names)


def _link(cell: Any, spot: Spot, names: dict[int, str]) -> None:
    """A figure's place leads to its cell in the re-typed table, or to the page in the HTML report beside this file."""
    from openpyxl.styles import Font
    from openpyxl.worksheet.hyperlink import Hyperlink

    name = names.get(spot.table)
    if name and _CELL.fullmatch(spot.cell):
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{name}'!{spot.cell}")
    else:
        cell.hyperlink = "findings.html"
    cell.font = Font(color=_LINK, underline="single")


def _exhibit(sheet: Any, exhibit: Exhibit) -> None:
    """The table with its cells where they stand in the source, figures as numbers, and how they looked as a note."""
    placed = {figure.places[0].cell: figure for figure in exhibit.figures if figure.places}
    lines = exhibit.lines or range(1, len(exhibit.rows) + 1)
    for number, row in zip(lines, exhibit.rows, strict=False):
        for column, text in enumerate(row, 1):
            if not text:
                continue
            cell = sheet.cell(number, column)
            figure = placed.get(cell.coordinate)
            amount = read_cell(text) if figure else None
            if figure and amount:
                cell.value = float(amount.value)
                cell.number_format = "#,##0" + ("." + "0" * amount.decimals if amount.decimals else "")
            else:
                _write(cell, text)
    sheet.column_dimensions["A"].width = 36
    sheet.freeze_panes = "B2"


def _head(sheet: Any, names: list[str], widths: list[int]) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    sheet.append(names)
    for number, width in enumerate(widths, 1):
        cell = sheet.cell(1, number)
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor=_HEAD)
        cell.alignment = Alignment(vertical="center")
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.freeze_panes = "A2"


def _row(sheet: Any, values: list[Any]) -> None:
    from openpyxl.styles import Alignment

    row = sheet.max_row + 1
    for number, value in enumerate(values, 1):
        cell = sheet.cell(row, number)
        _write(cell, value)
        cell.alignment = Alignment(wrap_text=True, vertical="top")


def _write(cell: Any, value: Any) -> None:
    """Text from a report is text, never a formula."""
    if isinstance(value, str):
        cell.value = _UNSAFE.sub("", value)[:32_000]
        cell.data_type = "s"
    else:
        cell.value = value
