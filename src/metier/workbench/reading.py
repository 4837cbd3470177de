"""What the child does with a set's file: looks into its first rows, or reads it whole and keeps rows to be shown.

rows.jsonl    one line a record: `row`, `raw` (its cells as text), `messages`, `problem` (why it is left out)
rows.index    where each line begins, eight bytes each, so that any row is found at once
pictures/     the pictures of its rows, each under the sha256 of its bytes, wherever they came from
"""

from __future__ import annotations

import json
import os
import tempfile
from array import array
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from metier.core.errors import DataError, UserError
from metier.core.i18n import translate
from metier.data import Dataset, load_dataset
from metier.data.containers import open_records
from metier.data.formats import decide_layout
from metier.data.picturefiles import PICTURES, own_pictures
from metier.data.rows import RawRow
from metier.workbench.rowpictures import messages_said

ROWS, INDEX = "rows.jsonl", "rows.index"
_ASKS = ("data.unknown_columns", "data.incomplete_columns")  # answered by saying what the columns are
LOOKED_AT = 5
_LINES, _HEAD_BYTES = (".jsonl", ".csv", ".tsv"), 4 << 20
_LOOK_CELL, _ROW_CELL = 500, 20_000  # characters of a cell that are shown
_MOST_FACTOR, _MOST_LEAST = 4, 64 << 20  # rows are kept up to so many bytes, as much as a set's file and a little


def look(
    file: str, shown_as: str, columns: dict[str, str] | None, format: str | None, skip_bad_rows: bool, pictures: str
) -> dict[str, Any]:
    """The first rows of a file and what it seems to be; see `metier.workbench.datasets.Look`. shown_as: the name that
    messages call the file by; pictures: the `pictures.json` beside it, of which alone rows may name pictures."""
    with tempfile.TemporaryDirectory() as folder:
        head = _head(Path(file), Path(folder))
        return _look(head, shown_as, columns, format, skip_bad_rows, Path(pictures))


def _look(
    path: Path, shown_as: str, columns: dict[str, str] | None, format: str | None, skip_bad_rows: bool, pictures: Path
) -> dict[str, Any]:
    names: dict[str, None] = {}
    rows: list[dict[str, str]] = []
    chosen: str | None = None
    roles: dict[str, str] = {}
    problem, needs = "", False
    try:
        first = None
        for row in islice(open_records(path).rows, LOOKED_AT):
            if row.problem is not None:
                raise row.problem
            first = first or row
            names.update(dict.fromkeys(row.values))
            rows.append({name: _cell(value, _LOOK_CELL) for name, value in row.values.items()})
        if first is None:
            raise DataError("data.empty_set", file=path)
        try:
            layout = decide_layout(first, pictures=own_pictures(pictures), format=format, columns=columns or None)
            chosen = layout.format.name
            roles = {role: column for role, column in layout.columns.items() if column in names}
            _try(path, columns, format, skip_bad_rows, pictures)
        except UserError as error:
            needs, problem = error.key in _ASKS, _say(error, path, shown_as)
    except UserError as error:
        problem = _say(error, path, shown_as)
    return {
        "columns": list(names), "rows": rows, "format": chosen, "roles": roles, "problem": problem,
        "needs_columns": needs,
    }  # fmt: skip


def _head(path: Path, folder: Path) -> Path:
    """The file, or its first whole lines where it is large and made of lines: enough to be looked into at once."""
    if path.suffix not in _LINES or path.stat().st_size <= _HEAD_BYTES:
        return path
    with path.open("rb") as source:
        content = source.read(_HEAD_BYTES)
    end = content.rfind(b"\n") + 1
    if not end or b"\0" in content[:4]:  # one long line, or UTF-16, whose lines end otherwise
        return path
    head = folder / path.name
    head.write_bytes(content[:end])
    return head


def _try(path: Path, columns: dict[str, str] | None, format: str | None, skip_bad_rows: bool, pictures: Path) -> None:
    """Reads the first rows as they would be read."""
    options: dict[str, Any] = {"max_samples": LOOKED_AT, "skip_bad_rows": skip_bad_rows, "allow_text": True}
    load_dataset(str(path), columns=columns or None, format=format, pictures=pictures, **options)


def read(
    file: str, shown_as: str, columns: dict[str, str] | None, format: str | None, skip_bad_rows: bool, folder: str,
    pictures: str,
) -> dict[str, Any]:  # fmt: skip
    """Reads the whole file, keeps its rows in `folder`, and says what it is. Raises what is wrong with its first bad
    row, unless those are left out. pictures: as for `look`, or nothing for a set that is shipped."""
    path = Path(file)
    try:
        loaded = load_dataset(
            str(path), columns=columns or None, format=format, skip_bad_rows=skip_bad_rows, allow_text=True,
            pictures=Path(pictures) if pictures else None,
        )  # fmt: skip
    except UserError as error:
        error.fields.update({key: _hide(value, path, shown_as) for key, value in error.fields.items()})
        raise
    kept = keep_rows(loaded, Path(folder), shown_as)
    return {
        "format": loaded.format,
        "kind": loaded.kind,
        "columns": dict(loaded.columns),
        "encoding": loaded.encoding,
        "notes": [{"key": note.key, "fields": {k: str(v) for k, v in note.fields.items()}} for note in loaded.notes],
        "rows": len(loaded),
        "skipped": len(loaded.skipped),
        "records": kept,
        "pictures": _picture_facts(loaded, Path(folder)),
    }


def keep_rows(loaded: Dataset, folder: Path, shown_as: str) -> int:
    """Writes a set's rows and their index into `folder`; returns how many, of a huge set the first ones."""
    folder.mkdir(parents=True, exist_ok=True)
    most = max(_MOST_LEAST, _MOST_FACTOR * loaded.path.stat().st_size)
    places = array("Q")
    aside = folder / f".{ROWS}"
    with aside.open("wb") as target:
        for line in _lines(loaded, shown_as, folder / PICTURES):
            if target.tell() + len(line) > most:
                break
            places.append(target.tell())
            target.write(line)
        places.append(target.tell())
        target.flush()
        os.fsync(target.fileno())
    index = folder / f".{INDEX}"
    index.write_bytes(places.tobytes())
    aside.replace(folder / ROWS)
    index.replace(folder / INDEX)  # last: with it, both are there
    return len(places) - 1


def _picture_facts(loaded: Dataset, folder: Path) -> dict[str, int]:
    """How many pictures the rows show, and how many bytes they have where they are kept."""
    shown = sum(len(turn.images) for row in loaded.conversations for turn in row.messages)
    kept = (folder / PICTURES).iterdir() if (folder / PICTURES).is_dir() else ()
    return {"shown": shown, "bytes": sum(path.stat().st_size for path in kept)}


def _lines(loaded: Dataset, shown_as: str, pictures: Path) -> Iterator[bytes]:
    good = {one.row: one for one in loaded.conversations}
    bad = {int(one.fields["row"]): one for one in loaded.skipped if "row" in one.fields}
    for row in open_records(loaded.path).rows:
        said: dict[str, Any] = {"row": row.row, "raw": _raw(row)}
        if row.row in good:
            said["messages"] = messages_said(good[row.row], pictures)
        problem = bad.get(row.row)
        if problem is not None:
            fields = {key: str(_hide(value, loaded.path, shown_as)) for key, value in problem.fields.items()}
            said["problem"] = {"key": problem.key, "fields": fields}
        yield json.dumps(said, ensure_ascii=False, default=str).encode("utf-8", "replace") + b"\n"


def _raw(row: RawRow) -> dict[str, str]:
    return {name: _cell(value, _ROW_CELL) for name, value in row.values.items()}


def read_rows(folder: Path, first: int, count: int) -> tuple[list[dict[str, Any]], int]:
    """Rows `first` (from 1) and the `count - 1` behind it, and how many are kept. Raises FileNotFoundError."""
    index = folder / INDEX
    kept = index.stat().st_size // 8 - 1
    begin, end = max(0, first - 1), min(kept, max(0, first - 1) + count)
    if begin >= end:
        return [], kept
    with index.open("rb") as source:
        source.seek(8 * begin)
        places = array("Q", source.read(8 * (end - begin + 1)))
    with (folder / ROWS).open("rb") as source:
        source.seek(places[0])
        block = source.read(places[-1] - places[0])
    return [json.loads(line) for line in block.splitlines()], kept


def problem_text(problem: Mapping[str, Any] | None) -> str:
    """Why a row is left out, in the reader's language."""
    return translate(problem["key"], **problem["fields"]) if problem else ""


def _cell(value: Any, most: int) -> str:
    text = value if isinstance(value, str) else json.dumps(_plain(value), ensure_ascii=False, default=str)
    return text if len(text) <= most else text[:most] + "…"


def _plain(value: Any) -> Any:
    """Bytes, such as a picture's, by their number."""
    if isinstance(value, bytes):
        return f"[{len(value)} bytes]"
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _say(error: UserError, file: Path, shown_as: str) -> str:
    return error.text().replace(str(file), shown_as)


def _hide(value: Any, file: Path, shown_as: str) -> Any:
    """A message's field with the file's own name instead of the machine's path."""
    return str(value).replace(str(file), shown_as) if isinstance(value, str | Path) else value
