"""Rows of an evaluation as a table for a spreadsheet, in which nothing that a model wrote becomes a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import IO, Any

from metier.workbench.errors import ConflictError
from metier.workbench.results import Evaluation, Row

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff￾￿]")
_MOST_CHARACTERS, _MOST_ROWS = 32_000, 1_000_000  # of a cell and of a sheet, as Excel has them


def cell(value: Any) -> Any:
    """A value that a spreadsheet shows as it is: a text that would be a formula gets an apostrophe before it."""
    if value is None or isinstance(value, int | float):
        return value
    text = _UNWRITABLE.sub("�", str(value))
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


def table(found: Evaluation, rows: Iterable[Row]) -> Iterator[list[Any]]:
    """The heading, then a line a row."""
    names, beside = found.metrics, found.base is not None
    heading = ["row", "id", "prompt", "label", "gold", "answer", "thinking", "read", *names]
    if beside:
        heading += ["base_answer", "base_thinking", "base_read", *(f"base_{name}" for name in names)]
    yield heading
    for row in rows:
        line: list[Any] = [row.row, row.id, row.prompt, row.label, row.gold]
        for answer in (row.answer, row.base) if beside else (row.answer,):
            if answer is None:
                line += [None] * (3 + len(names))
            else:
                line += [answer.text, answer.thinking, answer.read, *(answer.scores.get(name) for name in names)]
        yield [cell(value) for value in line]


def as_csv(lines: Iterable[list[Any]]) -> Iterator[bytes]:
    """UTF-8 with a mark at the start, by which Excel knows it."""
    yield b"\xef\xbb\xbf"
    for line in lines:
        buffer = io.StringIO()
        csv.writer(buffer).writerow(line)
        yield buffer.getvalue().encode("utf-8", "replace")


def write_xlsx(lines: Iterable[list[Any]], target: IO[bytes]) -> None:
    """One sheet. Raises ConflictError for more rows than a sheet holds."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("rows")
    sheet.freeze_panes = "A2"
    for number, line in enumerate(lines):
        if number > _MOST_ROWS:
            raise ConflictError("workbench.results_too_many_rows", most=_MOST_ROWS)
        sheet.append([one[:_MOST_CHARACTERS] if isinstance(one, str) else one for one in line])
    book.save(target)
