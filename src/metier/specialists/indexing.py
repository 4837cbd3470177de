"""The step `index`: the documents that a specialist answers from, read, split and made searchable."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from metier.core.errors import DataError
from metier.core.events import EventLog
from metier.core.files import sha256_file, write_json
from metier.core.specs import Spec
from metier.knowledge.library import LOCAL, Library
from metier.specialists.samples import SAMPLE_BASES, sample_documents

INDEX = "index.json"
Named = tuple[str, bytes] | tuple[str, Path]


def _names(value: Any) -> Any:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


class IndexSpec(Spec):
    """Which documents go into which knowledge base.

    knowledge: the base's name, empty for a recipe without documents; samples: whether the documents that come with
    the product for this base go in; documents: files, and folders with everything in them; embedder: where vectors
    come from, empty for search by words; ocr: whether pages without text are read by their picture.
    """

    knowledge: str = ""
    samples: bool = True
    documents: Annotated[tuple[Path, ...], BeforeValidator(_names)] = ()
    embedder: str = ""
    ocr: bool = True


def documents_of(spec: IndexSpec) -> list[Named]:
    """What goes in, by name. Raises DataError for a file or folder that is not there, and where nothing is named."""
    found: list[Named] = []
    if spec.samples and spec.knowledge in SAMPLE_BASES:
        found += sample_documents(spec.knowledge)
    for place in spec.documents:
        found += [(path.name, path) for path in _files(place)]
    if not found:
        raise DataError("specialists.no_documents_named", base=spec.knowledge)
    return found


def document_hashes(spec: IndexSpec) -> dict[str, str]:
    """The sha256 of each document: what the index depends on."""
    return {name: _hash(content) for name, content in documents_of(spec)}


def is_whole(spec: IndexSpec, library: Library, owner: str = LOCAL) -> bool:
    """Whether the base has all of these documents."""
    base = next((one for one in library.list(owner) if one.name == spec.knowledge), None)
    there = {entry.sha256 for entry in base.documents()} if base else set()
    return set(document_hashes(spec).values()) <= there


def run_index(
    spec: IndexSpec, folder: Path, events: EventLog, *, library: Library, owner: str = LOCAL
) -> dict[str, Any]:
    """Puts the documents into the owner's base, made where it is not there, and writes `index.json`.

    What else lies in the base stays. A document that cannot be read fails alone and is named; where none can be read,
    DataError.
    """
    documents = documents_of(spec)
    base = next((one for one in library.list(owner) if one.name == spec.knowledge), None)
    base = base or library.create(owner, spec.knowledge, embedder=spec.embedder)

    def follow(event: dict[str, Any]) -> None:
        if event["event"] == "outcome":
            events.emit("progress", step=event["number"], total=event["total"])

    outcomes = base.add(documents, ocr=spec.ocr, events=EventLog(None, (follow,)))
    entries = [outcome.entry for outcome in outcomes if outcome.entry]
    failed = [{"name": one.name, "key": one.key} for one in outcomes if one.state == "failed"]
    for one in outcomes:
        if one.state == "failed":
            events.emit("warning", message=f"{one.name}: {one.reason}")
    if not entries:
        raise DataError("specialists.nothing_indexed", base=spec.knowledge, name=failed[0]["name"])
    summary = {
        "knowledge": spec.knowledge,
        "documents": len(entries),
        "passages": sum(entry.passages for entry in entries),
        "states": dict(Counter(outcome.state for outcome in outcomes)),
        "failed": failed,
    }
    write_json(folder / INDEX, {**summary, "files": [entry.to_json() for entry in entries]})
    return summary


def _hash(content: bytes | Path) -> str:
    return sha256_file(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()


def _files(place: Path) -> Iterator[Path]:
    if place.is_dir():
        yield from (path for path in sorted(place.rglob("*")) if path.is_file() and not path.name.startswith("."))
    elif place.is_file():
        yield place
    else:
        raise DataError("specialists.no_such_documents", place=place)
