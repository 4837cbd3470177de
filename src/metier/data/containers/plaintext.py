"""Plain text: paragraphs, parted by blank lines, are the records; they have one column, `text`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from metier.data.rows import RawRow, Source, row_error
from metier.data.textfile import read_text_file


def open_plain_text(path: Path) -> Source:
    """A `.txt` or `.md` file, one record a paragraph."""
    decoded = read_text_file(path)
    return Source(path, _rows(path, decoded.text), decoded.encoding)


def _rows(path: Path, text: str) -> Iterator[RawRow]:
    row, start = 0, 0
    paragraph: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], 1):
        line = line.removesuffix("\r")
        if line.strip():
            start = start if paragraph else number
            paragraph.append(line)
        elif paragraph:
            row += 1
            content = "\n".join(paragraph)
            problem = row_error(path, row, start, "nul_character", field="text") if "\x00" in content else None
            yield RawRow(path, row, {} if problem else {"text": content}, start, problem)
            paragraph = []
