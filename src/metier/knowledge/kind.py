"""Which format a file has: its name says it, its first bytes must agree."""

from __future__ import annotations

from pathlib import PurePath

from metier.core.errors import DataError
from metier.knowledge.readers import SUFFIXES, Source

_HEAD = 1024
_STARTS = {
    b"PK\x03\x04": "zip",
    b"\xd0\xcf\x11\xe0": "ole",
    b"\x89PNG": "image",
    b"\xff\xd8\xff": "image",
    b"II*\x00": "image",
    b"MM\x00*": "image",
    b"GIF8": "image",
    b"BM": "image",
    b"RIFF": "image",
}
_BINARY = {"pdf": ("pdf",), "docx": ("zip", "ole"), "xlsx": ("zip", "ole"), "image": ("image",)}
_HTML = (b"<!doctype html", b"<html", b"<head", b"<body")


def kind_of(source: Source) -> str:
    """The registered format. Raises DataError for an unknown one, or where the bytes are something else."""
    suffix = PurePath(source.name).suffix.lower()
    kind = SUFFIXES.get(suffix)
    if kind is None:
        raise DataError("knowledge.unknown_type", file=source.name, known=" ".join(SUFFIXES))
    found = looks_like(source.content)
    if kind in _BINARY:
        agrees = found in _BINARY[kind]
    else:  # a text may speak of anything; whether it is one is decided with its encoding
        agrees = found not in ("zip", "ole") and not source.content.startswith(b"%PDF-")
    if not agrees:
        what = f" ({found})" if found else ""
        raise DataError("knowledge.not_as_named", file=source.name, named=suffix, found=what)
    return kind


def looks_like(content: bytes) -> str:
    """What the first bytes say: `pdf`, `zip`, `ole`, `image`, `html`, or an empty string."""
    head = content[:_HEAD]
    if b"%PDF-" in head:
        return "pdf"
    for start, name in _STARTS.items():
        if head.startswith(start):
            return name
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML):
        return "html"
    return ""
