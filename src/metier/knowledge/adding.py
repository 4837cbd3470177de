"""How files become documents of a knowledge base.

    file ─► same bytes? ─► read (in a limited child) ─► split ─► vectors ─► stored ─► index ─► entry ─► old one gone

Each arrow may be the last before a kill. Reading happens outside of the lock; from `stored` on, `finish` goes on.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.core.errors import DataError, MetierError
from metier.core.events import EventLog
from metier.core.files import sha256_file
from metier.knowledge.document import Document
from metier.knowledge.entries import Entry, Outcome, Source, entry_of, failed
from metier.knowledge.passage import Passage

if TYPE_CHECKING:
    from metier.knowledge.base import KnowledgeBase
    from metier.knowledge.index import Vectors


def add(base: KnowledgeBase, sources: Iterable[Source], *, ocr: bool, events: EventLog) -> list[Outcome]:
    """Takes files in; see `KnowledgeBase.add`."""
    finish(base)
    brought = [_named(source) for source in sources]
    outcomes = []
    for number, (name, content) in enumerate(brought, 1):
        events.emit("file", name=name, number=number, total=len(brought))
        outcomes.append(_add_one(base, name, content, ocr=ocr, events=events))
        events.emit("outcome", number=number, total=len(brought), **outcomes[-1].to_json())
    if any(outcome.state in ("added", "replaced") for outcome in outcomes):
        with base.shelf.exclusive():
            if not forget_struck(base):
                base.index.tidy()
    return outcomes


def finish(base: KnowledgeBase) -> int:
    """Goes on with what a kill broke off, and returns how many documents that were."""
    with base.shelf.exclusive():
        base.shelf.clear_away()
        unfinished = base.shelf.unfinished()
        for document_id in unfinished:
            index(base, base.document(document_id), document_id)
        if not forget_struck(base) and unfinished:
            base.index.tidy()
    return len(unfinished)


def index(
    base: KnowledgeBase,
    document: Document,
    document_id: str,
    made: tuple[Sequence[Passage], Vectors | None] | None = None,
    *,
    added: str = "",
) -> Entry:
    """Puts a stored document's passages into the index, in one step with the end of those of its name before, and
    enters it. made: passages and vectors, where they are made already. Only in `exclusive`."""
    passages, vectors = made or passages_of(base, document, document_id)
    before = [one.id for one in base.documents() if one.name == document.name and one.id != document_id]
    base.index.replace_many(
        {document_id: passages, **dict.fromkeys(before, ())},
        None if vectors is None else {document_id: vectors, **dict.fromkeys(before, ())},
    )
    original = base.original(document_id)
    entry = entry_of(
        document,
        document_id,
        size=original.stat().st_size,
        suffix=original.suffix,
        passages=len(passages),
        title=passages[0].title,
        added=added or datetime.now(UTC).isoformat(timespec="seconds"),
    )
    for old in before:
        base.shelf.strike(old)
    base.shelf.enter(entry)
    return entry


def passages_of(base: KnowledgeBase, document: Document, document_id: str) -> tuple[list[Passage], Vectors | None]:
    """A document's passages and their vectors. Raises DataError where there are no words in it."""
    from metier.knowledge.passages import split

    passages = split(document, document_id)
    if not passages:
        raise DataError("knowledge.nothing_read", file=document.name)
    texts = [passage.text for passage in passages]
    return passages, base.embedder.embed(texts) if base.embedder is not None else None


def forget_struck(base: KnowledgeBase) -> bool:
    """Ends what was taken off the shelf: first in the index, then on the disk. Returns whether there was something.
    Only in `exclusive`."""
    struck = base.shelf.struck()
    if not struck:
        return False
    base.index.remove(struck)
    base.index.tidy(forget=True)
    for document_id in struck:
        base.shelf.forget(document_id)
    return True


def _add_one(base: KnowledgeBase, name: str, content: bytes | Path, *, ocr: bool, events: EventLog) -> Outcome:
    started = time.monotonic()
    try:
        if isinstance(content, Path):
            outcome = _take(base, name, content, ocr=ocr, events=events)
        else:
            with tempfile.TemporaryDirectory() as scratch:
                file = Path(scratch) / f"file{_suffix(name)}"
                file.write_bytes(content)
                outcome = _take(base, name, file, ocr=ocr, events=events)
    except MetierError as error:
        return failed(name, error, time.monotonic() - started)
    return replace(outcome, seconds=time.monotonic() - started)


def _take(base: KnowledgeBase, name: str, file: Path, *, ocr: bool, events: EventLog) -> Outcome:
    from metier.knowledge.reading import read_document

    if not file.is_file():
        raise DataError("knowledge.no_file", file=file)
    digest = sha256_file(file)
    entries = base.documents()
    there = next((entry for entry in entries if entry.sha256 == digest), None)
    if there is not None:
        return Outcome(name, "same", there)
    document: Document = read_document(file, name=name, ocr=ocr, events=lambda event: _pass_on(event, events))
    events.emit("indexing", name=name)
    document_id = hashlib.sha256(f"{base.id}\0{name}\0{digest}".encode()).hexdigest()[:16]
    made = passages_of(base, document, document_id)
    with base.shelf.exclusive():
        replaced = any(entry.name == name for entry in base.documents())
        base.shelf.put(document_id, file, document, _suffix(name))
        entry = index(base, document, document_id, made)
    return Outcome(name, "replaced" if replaced else "added", entry)


def _pass_on(event: Mapping[str, Any], events: EventLog) -> None:
    """What the reader tells of its pages."""
    fields = {key: value for key, value in event.items() if key not in ("event", "time")}
    events.emit(str(event.get("event", "progress")), **fields)


def _named(source: Source) -> tuple[str, bytes | Path]:
    name, content = (source.name, source) if isinstance(source, Path) else source
    return shown_name(name), content


def shown_name(name: str) -> str:
    """A file's name as it is shown: the last part of what its sender called it, one line, never used as a path."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    shown = "".join(character for character in last if character.isprintable()).strip()
    return shown[:200] if shown.strip(". ") else "document"


def _suffix(name: str) -> str:
    """The suffix that an original is kept under: short, plain, lower case."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - a name, no path
    return suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= 10 else ""
