"""CSV and TSV: a table whose first row is its header."""

from __future__ import annotations

import csv
import io

from metier.core.errors import DataError
from metier.knowledge.draft import Draft
from metier.knowledge.readers import Emit, Source
from metier.knowledge.readers.plain import decoded

_MARKS = ",;\t|"


def read(source: Source, draft: Draft, emit: Emit) -> str:
    """Adds the rows."""
    text, encoding = decoded(source)
    csv.field_size_limit(10_000_000)
    first = text.lstrip("\n").split("\n", 1)[0]
    mark = max(_MARKS, key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    except csv.Error as error:
        raise DataError("knowledge.reading_damaged", file=source.name, problem=error) from error
    draft.page(1)
    draft.table(rows, numbered=True)
    emit({"event": "progress", "step": 1, "total": 1})
    return encoding
