"""Excel workbooks: the first sheet, its first row is the header. Cells become the text that Excel would show or near
it.
"""

from __future__ import annotations

import datetime
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from metier.core.errors import DataError
from metier.data.containers.table import check_header, first_line
from metier.data.rows import Note, RawRow, Source, row_error

MAX_UNPACKED_BYTES = 1 << 30
# What openpyxl, zipfile and the XML parser were seen to raise for damaged workbooks.
_DAMAGE = (
    OSError, EOFError, zlib.error, zipfile.BadZipFile, LookupError, ValueError, TypeError, AttributeError, SyntaxError,
    RuntimeError,
)  # fmt: skip


def open_xlsx(path: Path) -> Source:
    """A `.xlsx` file. Raises DataError if it is damaged, unpacks to over 1 GiB, or has no usable header."""
    import openpyxl

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise DataError("data.file_too_large", file=path, limit=MAX_UNPACKED_BYTES >> 30)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl reports styles it does not know; only cells matter here
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except _DAMAGE as error:
        raise DataError("data.bad_archive", file=path, problem=first_line(error)) from error
    if not book.worksheets:
        raise DataError("data.empty_file", file=path)
    sheet = book.worksheets[0]
    notes = []
    if len(book.worksheets) > 1:
        others = ", ".join(other.title for other in book.worksheets[1:])
        notes.append(Note("data.note_other_sheets", {"sheet": sheet.title, "others": others}))
    return Source(path, _rows(path, sheet), None, notes)


def _rows(path: Path, sheet: Any) -> Iterator[RawRow]:
    header: list[str] | None = None
    row = 0
    for number, cells in _numbered(path, sheet):
        texts = [_text(cell) for cell in cells]
        if not any(texts):
            continue
        if header is None:
            while texts and not texts[-1]:
                texts.pop()
            header = check_header(path, texts)
            continue
        row += 1
        yield _record(path, row, number, header, texts)
    if header is None:
        raise DataError("data.empty_file", file=path)


def _numbered(path: Path, sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Excel row numbers and cells; a sheet that breaks off becomes a DataError."""
    number = 0
    try:
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            yield number, cells
    except _DAMAGE as error:
        raise row_error(path, number, number + 1, "bad_batch", problem=first_line(error)) from error


def _record(path: Path, row: int, number: int, header: list[str], texts: list[str]) -> RawRow:
    texts += [""] * (len(header) - len(texts))
    if any(texts[len(header) :]):
        problem = row_error(path, row, number, "wrong_field_count", found=len(texts), wanted=len(header))
        return RawRow(path, row, {}, number, problem)
    return RawRow(path, row, dict(zip(header, texts, strict=False)), number)


def _text(cell: Any) -> str:
    from openpyxl.utils.escape import unescape

    if cell is None:
        return ""
    if isinstance(cell, str):
        return str(unescape(cell)) if "_x" in cell else cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return cell.isoformat(sep=" ") if isinstance(cell, datetime.datetime) else cell.isoformat()
    return str(cell)
