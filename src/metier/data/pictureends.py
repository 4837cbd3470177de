"""Where a picture ends, and whether another file hides behind it.

A polyglot is a picture to one reader and an archive, a page or a program to another. Whole pictures that phones write
carry harmless bytes after their end (a second, smaller picture), so only what begins another kind of file is told of.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_SECOND = {
    b"PK\x03\x04": "ZIP",
    b"PK\x05\x06": "ZIP",
    b"Rar!\x1a": "RAR",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"%PDF-": "PDF",
    b"\x7fELF": "ELF",
    b"<!doctype": "HTML",
    b"<html": "HTML",
    b"<script": "HTML",
    b"<svg": "SVG",
    b"<?php": "PHP",
    b"#!/": "script",
}
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_FIRST_BYTES = 1024  # within which readers of PDF look for its beginning


def second_kind(content: bytes, kind: str) -> str | None:
    """What other kind of file the bytes of a picture also are: `ZIP`, `PDF`, `HTML`, …; None for a picture alone."""
    if b"%PDF-" in content[:_FIRST_BYTES]:
        return "PDF"
    find_end = _ENDS.get(kind)
    end = len(content) if find_end is None else find_end(content)
    behind = content[end:].lower()
    return next((name for start, name in _SECOND.items() if start.lower() in behind), None)


def _png(content: bytes) -> int:
    place = 8
    while place + 8 <= len(content):
        length, name = int.from_bytes(content[place : place + 4]), content[place + 4 : place + 8]
        place += length + 12
        if name == b"IEND":
            break
    return place


def _jpeg(content: bytes) -> int:
    place = 2
    while place + 4 <= len(content):
        marker = content[place + 1]
        if content[place] != 0xFF or marker == 0xD9:
            return place + 2
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        place += 2 + int.from_bytes(content[place + 2 : place + 4])
        if marker == 0xDA:  # the scan's bytes go on until the next marker that is no restart
            found = _MARKER.search(content, place)
            if found is None:
                return len(content)
            place = found.start()
    return place + 2


def _gif(content: bytes) -> int:
    place = 13 + _table(content[10])
    while place < len(content):
        block = content[place]
        if block == 0x3B:
            return place + 1
        if block == 0x2C and place + 9 < len(content):
            place += 10 + _table(content[place + 9]) + 1
        else:
            place += 2
        while place < len(content) and content[place]:  # sub-blocks: a length, and so many bytes
            place += content[place] + 1
        place += 1
    return len(content)


def _table(flags: int) -> int:
    """Bytes of a colour table, by the flags of the header before it."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(content: bytes) -> int:
    return 8 + int.from_bytes(content[4:8], "little")


def _bmp(content: bytes) -> int:
    return int.from_bytes(content[2:6], "little") or len(content)


_ENDS: dict[str, Callable[[bytes], int]] = {"png": _png, "jpeg": _jpeg, "gif": _gif, "webp": _webp, "bmp": _bmp}
