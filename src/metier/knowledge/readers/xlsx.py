"""XLSX by openpyxl: each sheet a page with its name as heading and its rows as a table. Hidden sheets are left out."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import Any

from metier.core.errors import DataError
from metier.knowledge.draft import Draft
from metier.knowledge.readers import Emit, Source
from metier.knowledge.readers.zipped import check_zip

MAX_CELLS = 5_000_000


def read(source: Source, draft: Draft, emit: Emit) -> str:
    """Adds the sheets; of a formula its value as last saved."""
    check_zip(source)
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(source.content), read_only=True, data_only=True)
        cells = 0
        for number, sheet in enumerate(book.worksheets, 1):
            if sheet.sheet_state != "visible":
                draft.page(number, origin="empty")
                draft.notice("knowledge.notice_hidden_sheet", page=number, sheet=sheet.title)
                continue
            rows = []
            for row in sheet.iter_rows(values_only=True):
                cells += len(row)
                if cells > MAX_CELLS:
                    raise DataError("knowledge.too_many_cells", file=source.name, limit=MAX_CELLS)
                rows.append(_without_empty_end([_shown(value) for value in row]))
            draft.page(number, origin="text" if any(rows) else "empty")
            draft.heading(sheet.title, 1)
            draft.table(rows, numbered=True)
            emit({"event": "progress", "step": number, "total": len(book.worksheets)})
    except (InvalidFileException, KeyError, ValueError, TypeError, SyntaxError) as error:
        raise DataError("knowledge.reading_damaged", file=source.name, problem=error) from error
    return ""


def _shown(value: Any) -> str:
    """A cell as a reader would write it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time().isoformat() == "00:00:00" else value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(value)


def _without_empty_end(row: list[str]) -> list[str]:
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return row[:end]
