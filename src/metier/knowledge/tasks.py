"""What the confined child can be asked (`metier.knowledge.worker`)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from metier.core.errors import DataError
from metier.knowledge.draft import Draft
from metier.knowledge.kind import kind_of
from metier.knowledge.readers import READERS, Emit, Source

MAX_FILE_BYTES = 512 << 20


def read(path: str, name: str, seen: dict[str, Any], *, emit: Emit) -> dict[str, Any]:
    """The document in a file, as `Document.to_json` gives it. seen: what `ocr` gave."""
    source = replace(_source(path, name), seen={int(number): said for number, said in seen.items()})
    kind = kind_of(source)
    draft = Draft(name)
    encoding = READERS.get(kind)(source, draft, emit)
    return draft.finish(kind=kind, sha256=hashlib.sha256(source.content).hexdigest(), encoding=encoding).to_json()


def ocr(path: str, name: str, pages: list[int], *, emit: Emit) -> dict[str, Any]:
    """What OCR sees on pages."""
    from metier.knowledge.ocr import seen

    return seen(_source(path, name), pages, emit)


def picture(path: str, name: str, page: int, width: int, *, emit: Emit) -> str:
    """A page as PNG, in base64."""
    from metier.knowledge.painting import picture as painted

    return base64.b64encode(painted(_source(path, name), page, width)).decode()


def boxes(path: str, name: str, wanted: list[dict[str, Any]], *, emit: Emit) -> list[dict[str, Any]]:
    """The boxes of spans of a PDF's text."""
    from metier.knowledge.places import boxes_of
    from metier.knowledge.readers.pdf import opened

    return boxes_of(opened(_source(path, name)), wanted)


def repaint(path: str, name: str, *, emit: Emit) -> dict[str, Any]:
    """A picture made anew: `content` in base64, `kind`, `width`, `height`. Errors call it by its name."""
    from metier.knowledge.repainting import repainted

    try:
        content, kind, width, height = repainted(Path(path))
    except DataError as error:
        raise DataError(error.key, **{**error.fields, "picture": name}) from error
    return {"content": base64.b64encode(content).decode(), "kind": kind, "width": width, "height": height}


def drawings(path: str, name: str, tables: list[dict[str, Any]], *, emit: Emit) -> list[dict[str, Any]]:
    """The boxes of pictures and charts on the pages of a PDF."""
    from metier.knowledge.drawn import drawings_of
    from metier.knowledge.readers.pdf import opened

    return drawings_of(opened(_source(path, name)), tables)


def _source(path: str, name: str) -> Source:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise DataError("knowledge.unreadable", file=name, problem=error.strerror or error) from error
    if len(content) > MAX_FILE_BYTES:
        raise DataError("knowledge.too_large", file=name, limit=MAX_FILE_BYTES >> 20)
    if not content:
        raise DataError("knowledge.empty_file", file=name)
    return Source(Path(path), name, content)
