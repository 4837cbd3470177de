"""JSON lists and JSON lines. The first character decides: `[` opens a list, anything else is one object a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from metier.core.errors import DataError
from metier.data.containers import file_type
from metier.data.rows import RawRow, Source, row_error
from metier.data.strictjson import JsonError, parse, parse_at
from metier.data.textfile import read_text_file

_SPACE = re.compile(r"[ \t\r\n]*")


def open_json(path: Path) -> Source:
    """A `.json` or `.jsonl` file. In a list a malformed record ends the reading; in lines it only spoils its row."""
    decoded = read_text_file(path)
    start = _skip(decoded.text, 0)
    if decoded.text[start] == "[":
        return Source(path, _list_rows(path, decoded.text, start), decoded.encoding)
    if file_type(path) == ".json":
        _refuse_one_object(path, decoded.text, start)
    return Source(path, _line_rows(path, decoded.text), decoded.encoding)


def _refuse_one_object(path: Path, text: str, start: int) -> None:
    """A `.json` of one object over several lines is neither a list nor lines: name its keys, not a syntax error."""
    try:
        value, end = parse_at(text, start)
    except JsonError:
        return
    if isinstance(value, dict) and "\n" in text[start:end]:
        raise DataError("data.json_one_object", file=path, keys=", ".join(list(value)[:8]))


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _line_rows(path: Path, text: str) -> Iterator[RawRow]:
    row = 0
    # Only "\n" ends a line: splitlines() would also cut at U+2028 and U+0085, which are text.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip(" \t\r"):
            continue
        row += 1
        try:
            value = parse(line)
        except JsonError as problem:
            yield RawRow(path, row, {}, number, _error(path, row, number, line, problem))
            continue
        yield _record(path, row, number, value)


def _list_rows(path: Path, text: str, start: int) -> Iterator[RawRow]:
    row, position, line, counted = 0, _skip(text, start + 1), 1, 0
    while not text.startswith("]", position):
        row += 1
        line += text.count("\n", counted, position)
        counted = position
        try:
            value, end = parse_at(text, position)
        except JsonError as problem:
            raise _error(path, row, line, text, problem, counted) from problem
        yield _record(path, row, line, value)
        position = _skip(text, end)
        if text.startswith(",", position):
            position = _skip(text, position + 1)
        elif not text.startswith("]", position):
            broken = JsonError("malformed_json", position, problem="Expecting ',' or ']'")
            raise _error(path, row, line, text, broken, counted)
    if text[position + 1 :].strip():
        trailing = JsonError("malformed_json", position + 1, problem="Extra data")
        raise _error(path, max(row, 1), line, text, trailing, counted)


def _record(path: Path, row: int, line: int, value: object) -> RawRow:
    if isinstance(value, dict):
        return RawRow(path, row, value, line)
    return RawRow(path, row, {}, line, row_error(path, row, line, "not_an_object", kind=type(value).__name__))


def _error(path: Path, row: int, line: int, text: str, problem: JsonError, start: int = 0) -> DataError:
    """`start`: index in `text` where line `line` or the record on it was counted."""
    fields = dict(problem.fields)
    if problem.name == "malformed_json" and problem.position is not None:
        line += text.count("\n", start, problem.position)
        fields["column"] = problem.position - text.rfind("\n", 0, problem.position)
    return row_error(path, row, line, problem.name, **fields)
