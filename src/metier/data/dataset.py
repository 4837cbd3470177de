"""A set of conversations, loaded whole or not at all."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.core.errors import ConfigError, DataError
from metier.core.files import fingerprint, sha256_file, write_text
from metier.core.registry import nearest
from metier.data.bundles import BUNDLE, kept_bundle, told_by_archive
from metier.data.containers import CONTAINERS, PLAIN_TEXT_SUFFIXES, file_type, open_records
from metier.data.entries import Entry, all_entries
from metier.data.formats import decide_layout
from metier.data.layout import Kind, Layout, check_names
from metier.data.messages import Conversation
from metier.data.picturefiles import PictureFiles, own_pictures
from metier.data.pictures import MOST_PICTURES
from metier.data.rows import Note, RawRow
from metier.data.several import join, names_in
from metier.data.turns import check_turns


@dataclass(frozen=True)
class Dataset:
    """A loaded set.

    sha256: of the file's bytes and of how they were read (format, columns, tags), and of the pictures it names;
    encoding: of a text file, as decided, else None; columns: role → column, as used; kind: `chat`, or `text`
    (documents without questions, not trainable as chat); notes: what was decided while reading; skipped: rows left
    out on request.
    """

    name: str
    path: Path
    sha256: str
    format: str
    conversations: list[Conversation]
    encoding: str | None = None
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    kind: Kind = "chat"
    notes: tuple[Note, ...] = ()
    skipped: tuple[DataError, ...] = ()

    def __len__(self) -> int:
        return len(self.conversations)

    @property
    def left_out(self) -> Note | None:
        """How many rows were skipped, and the first, if any were."""
        return next((note for note in self.notes if note.key == "data.note_skipped"), None)


def load_dataset(
    reference: str,
    *,
    dataset_dir: Path | None = None,
    columns: Mapping[str, str] | None = None,
    format: str | None = None,
    max_samples: int | None = None,
    require_answers: bool = True,
    skip_bad_rows: bool = False,
    allow_text: bool = False,
    pictures: Path | None = None,
) -> Dataset:
    """Loads a registered set or a file, or several as one (`a,b`, rows numbered on).

    reference: a name in `dataset_dir/dataset_info.json`, in the user's registry or among the shipped sets, else a
    path; columns: role → column name; format: see `formats.FORMATS`, else decided by exact column names;
    max_samples: the first so many rows of each set; require_answers: refuse rows that do not end with an answer;
    skip_bad_rows: leave rows that are not usable out and list them in `skipped` instead of raising for the first;
    allow_text: also load plain text, which cannot be trained on; pictures: a `pictures.json`, of which alone rows may
    name pictures. Raises DataError (file, row, field and what to do next) or ConfigError.
    """
    if max_samples is not None and max_samples < 1:
        raise ConfigError("data.bad_max_samples", given=max_samples)
    options: dict[str, Any] = {"require_answers": require_answers, "skip_bad_rows": skip_bad_rows}
    options["allow_text"] = allow_text
    parts = [
        _load_one(name, dataset_dir, columns, format, max_samples, pictures, options)
        for name in names_in(reference, dataset_dir)
    ]
    return parts[0] if len(parts) == 1 else join(parts, reference)


def _load_one(
    reference: str,
    dataset_dir: Path | None,
    columns: Mapping[str, str] | None,
    format: str | None,
    max_samples: int | None,
    pictures: Path | None,
    options: dict[str, Any],
) -> Dataset:
    entry = find_entry(reference, dataset_dir)
    if not (options["allow_text"] and entry.format == "text" and entry.path is not None and entry.path.exists()):
        entry.refuse()
    told: AbstractContextManager[None] = nullcontext()
    if entry.path is not None and entry.path.suffix.lower() == BUNDLE and entry.path.is_file():
        bundle = kept_bundle(entry.path)
        told = told_by_archive(bundle, entry.path)
        entry = dataclasses.replace(entry, path=bundle.table, pictures=bundle.names)
    if format is not None or columns:  # the caller knows better than the registry
        entry = dataclasses.replace(entry, format=format, columns=columns, tags=None)
    if pictures is not None:
        entry = dataclasses.replace(entry, pictures=pictures)
    limit = min((n for n in (max_samples, entry.limit) if n is not None), default=None)
    with told:
        return _load(entry, limit, **options)


def write_dataset(dataset: Dataset, path: Path) -> None:
    """Writes a set as JSON lines of OpenAI messages, `meta.source_row` naming each row's place; pictures go inside."""
    rows = (
        {"messages": [turn.to_openai() for turn in row.messages], "meta": dict(row.meta) | {"source_row": row.row}}
        for row in dataset.conversations
    )
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def find_entry(reference: str, dataset_dir: Path | None = None) -> Entry:
    """The named set, or the file as an entry without a registration. Raises DataError if there is neither."""
    entries = all_entries(dataset_dir)
    if reference in entries:
        return entries[reference]
    path = Path(reference).expanduser()
    beside = dataset_dir / path if dataset_dir is not None and not path.is_file() else path
    path = beside if beside.is_file() else path
    if path.exists() or file_type(path) in CONTAINERS:
        plain = file_type(path) in PLAIN_TEXT_SUFFIXES
        return Entry(path.name, "folder", "ready", path, path.parent, format="text" if plain else None)
    known = ", ".join(name for name, entry in entries.items() if entry.status == "ready")
    raise DataError("data.unknown_dataset", name=reference, hint=nearest(reference, list(entries)), known=known or "–")


def _load(entry: Entry, limit: int | None, *, require_answers: bool, skip_bad_rows: bool, allow_text: bool) -> Dataset:
    if entry.path is None:
        raise DataError("data.no_file_named", name=entry.name)
    source = open_records(entry.path)
    conversations: list[Conversation] = []
    skipped: list[DataError] = []
    seen: dict[tuple[str, ...], None] = {}
    layout: Layout | None = None
    for row in source.rows:
        if limit is not None and len(conversations) == limit:
            break
        if row.problem is None and layout is None:
            layout = decide_layout(
                row,
                pictures=own_pictures(entry.pictures) if entry.pictures else PictureFiles(entry.folder),
                format=entry.format,
                columns=entry.columns,
                tags=entry.tags,
                require_answers=require_answers,
            )
            if layout.format.kind == "text" and not allow_text:
                raise DataError("data.text_not_trainable", name=entry.name)
        try:
            conversations.append(_convert(row, layout, seen, require_answers))
        except DataError as problem:
            if not skip_bad_rows:
                raise
            skipped.append(problem)
    if not conversations or layout is None:
        raise skipped[0] if skipped else DataError("data.empty_set", file=entry.path)
    _check_mapping(entry, layout, seen)
    present = {name for names in seen for name in names}
    columns = {role: column for role, column in layout.columns.items() if column in present}
    notes = [*source.notes, *_notes(entry, layout, source.encoding, seen, conversations, skipped)]
    return Dataset(
        name=entry.name,
        path=entry.path,
        sha256=_digest(entry.path, layout, columns, conversations),
        format=layout.format.name,
        conversations=conversations,
        encoding=source.encoding,
        columns=columns,
        kind=layout.format.kind,
        notes=tuple(notes),
        skipped=tuple(skipped),
    )


def _convert(
    row: RawRow, layout: Layout | None, seen: dict[tuple[str, ...], None], require_answers: bool
) -> Conversation:
    if row.problem is not None or layout is None:
        raise row.problem or row.error("no_messages")
    names = tuple(row.values)
    if names not in seen:
        check_names(row, layout)
        seen[names] = None
    conversation = layout.format.read(row, layout)
    images = sum(len(turn.images) for turn in conversation.messages)
    if images > MOST_PICTURES:
        raise row.error("image_many", images=images, most=MOST_PICTURES)
    if layout.format.kind == "chat":
        check_turns(row, conversation.messages, require_answers=require_answers)
    return conversation


def _check_mapping(entry: Entry, layout: Layout, seen: Mapping[tuple[str, ...], None]) -> None:
    """A column that was mapped and is in no row is a slip of the pen."""
    names = list(dict.fromkeys(name for names in seen for name in names))
    for column in (entry.columns or {}).values():
        if column not in names:
            raise DataError("data.mapped_column_absent", file=entry.path, field=column, found=", ".join(names))


def _notes(
    entry: Entry,
    layout: Layout,
    encoding: str | None,
    seen: Mapping[tuple[str, ...], None],
    conversations: list[Conversation],
    skipped: list[DataError],
) -> Iterator[Note]:
    if encoding not in (None, "utf-8"):
        yield Note("data.note_encoding", {"encoding": str(encoding).upper()})
    unused = sorted({name for names in seen for name in names} - set(layout.columns.values()))
    if unused:
        yield Note("data.note_unused_columns", {"columns": ", ".join(unused)})
    if entry.limit is not None:
        yield Note("data.note_limit", {"limit": entry.limit})
    thinking = sum("<think>" in conversation.label for conversation in conversations)
    if thinking:
        yield Note("data.note_thinking", {"rows": thinking, "total": len(conversations)})
    if skipped:
        yield Note("data.note_skipped", {"rows": len(skipped), "first": skipped[0].fields.get("row", "?")})


def _digest(path: Path, layout: Layout, columns: Mapping[str, str], conversations: list[Conversation]) -> str:
    shown = [part for row in conversations for turn in row.messages for part in turn.images if part.path]
    hashes = {path: sha256_file(Path(path)) for path in dict.fromkeys(part.path for part in shown) if path}
    return fingerprint(
        {
            "file": sha256_file(path),
            "format": layout.format.name,
            "columns": dict(columns),
            "tags": dataclasses.astuple(layout.tags),
            "pictures": [hashes[part.path or ""] for part in shown],
        }
    )
