"""Which format a file has: its name says it, its first bytes must agree."""

from __future__ import annotations

from pathlib import PurePath

from metier.core.errors import DataError
from metier.knowledge.readers import SUFFIXES, Source

_HEAD = 1024
_HTML = (b"<!doctype html", b"<html", b"<head", b"<body")


def kind_of(source: Source) -> str:
    """The registered format. Raises DataError for an unknown one, or where the bytes are something else."""
    suffix = PurePath(source.name).suffix.lower()
    kind = SUFFIXES.get(suffix)
    if kind is None:
        raise DataError("knowledge.unknown_type", file=source.name, known=" ".join(SUFFIXES))
    found = looks_like(source.content)
    if kind == "pdf" and found != "pdf":
        raise DataError("knowledge.not_as_named", file=source.name, named="PDF", found=found or "?")
    if kind == "text" and found in ("pdf", "zip"):
        raise DataError("knowledge.not_as_named", file=source.name, named="text", found=found)
    return kind


def looks_like(content: bytes) -> str:
    """What the first bytes say: `pdf`, `zip`, `html`, or an empty string."""
    head = content[:_HEAD]
    if b"%PDF-" in head:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML):
        return "html"
    return ""
