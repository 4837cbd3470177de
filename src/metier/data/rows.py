"""A record of a file before it is understood, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metier.core.errors import DataError
from metier.core.i18n import Language, translate


@dataclass(frozen=True, slots=True)
class RawRow:
    """One record.

    row: 1-based, header and blank lines not counted; line: 1-based line of the file where it begins, if it has lines;
    problem: why the record could not be parsed (then `values` is empty).
    """

    file: Path
    row: int
    values: Mapping[str, Any]
    line: int | None = None
    problem: DataError | None = None

    def error(self, name: str, **fields: Any) -> DataError:
        """A DataError `data.<name>` that carries this record's place."""
        return row_error(self.file, self.row, self.line, name, **fields)


def row_error(file: Path, row: int, line: int | None, name: str, **fields: Any) -> DataError:
    """A DataError about a record; its place reads `file:line` where there are lines."""
    place = f"{file}:{line}" if line else str(file)
    return DataError(f"data.{name}", place=place, file=file, row=row, **fields)


@dataclass(frozen=True, slots=True)
class Note:
    """Something decided while reading that the user should know. Never an error."""

    key: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def text(self, language: Language | None = None) -> str:
        """The note in `language`, or in the current one."""
        return translate(self.key, language=language, **self.fields)


@dataclass(slots=True)
class Source:
    """An opened file: its records in order, the encoding that was decided (None for binary formats), and notes."""

    path: Path
    rows: Iterator[RawRow]
    encoding: str | None = None
    notes: list[Note] = field(default_factory=list)
