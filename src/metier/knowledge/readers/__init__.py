"""Readers of documents: one small file a format, `read(source, draft, emit) -> encoding`, and a line here.

A reader runs in the confined child (`metier.knowledge.worker`). It adds what it reads to the draft, tells of each page
(`emit`), and gives the encoding it decided on, or an empty string where the format says it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metier.core.registry import Registry
from metier.knowledge.draft import Draft

Emit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read. path: where it lies; name: as shown; content: its bytes; seen: what OCR saw, page by page."""

    path: Path
    name: str
    content: bytes
    seen: Mapping[int, dict[str, Any]] = field(default_factory=dict)


Reader = Callable[[Source, Draft, Emit], str]

READERS: Registry[Reader] = Registry(
    "document format",
    {
        "pdf": "metier.knowledge.readers.pdf:read",
        "text": "metier.knowledge.readers.plain:read",
        "markdown": "metier.knowledge.readers.markdown:read",
        "html": "metier.knowledge.readers.html:read",
        "docx": "metier.knowledge.readers.docx:read",
        "xlsx": "metier.knowledge.readers.xlsx:read",
        "csv": "metier.knowledge.readers.table:read",
        "image": "metier.knowledge.readers.image:read",
    },
)
SUFFIXES = {
    ".pdf": "pdf",
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".docx": "docx",
    ".xlsx": "xlsx",
    ".csv": "csv",
    ".tsv": "csv",
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".tif": "image",
    ".tiff": "image",
    ".webp": "image",
    ".bmp": "image",
}
