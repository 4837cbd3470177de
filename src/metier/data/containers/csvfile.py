"""CSV (and TSV): first record is the header; quotes, commas and line breaks inside fields are kept as they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from metier.core.errors import DataError
from metier.data.containers.table import check_header
from metier.data.rows import RawRow, Source, row_error
from metier.data.textfile import MAX_LINE_BYTES, read_text_file


def open_csv(path: Path) -> Source:
    """A `.csv` or `.tsv` file. Raises DataError for a missing or ambiguous header."""
    decoded = read_text_file(path)
    delimiter = "\t" if ".tsv" in path.suffixes else ","
    return Source(path, _rows(path, decoded.text, delimiter), decoded.encoding)


def _rows(path: Path, text: str, delimiter: str) -> Iterator[RawRow]:
    csv.field_size_limit(MAX_LINE_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    row = 0
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise row_error(path, max(row + 1, 1), line, "malformed_csv", problem=error) from error
        if not fields or (len(fields) == 1 and not fields[0].strip() and (header is None or len(header) > 1)):
            continue
        if header is None:
            header = check_header(path, fields)
            continue
        row += 1
        yield _record(path, row, line, header, fields)


def _record(path: Path, row: int, line: int, header: list[str], fields: list[str]) -> RawRow:
    problem: DataError | None = None
    if len(fields) != len(header):
        problem = row_error(path, row, line, "wrong_field_count", found=len(fields), wanted=len(header))
    elif any("\x00" in field for field in fields):
        name = next(key for key, field in zip(header, fields, strict=True) if "\x00" in field)
        problem = row_error(path, row, line, "nul_character", field=name)
    values = {} if problem else dict(zip(header, fields, strict=True))
    return RawRow(path, row, values, line, problem)
