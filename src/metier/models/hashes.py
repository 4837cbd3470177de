"""sha256 of large files, computed once: remembered by path, size and time of change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from metier.core.files import read_json, sha256_file, sha256_text, write_json
from metier.core.settings import settings


def file_sha256(path: Path) -> str:
    """Hex sha256 of the bytes of `path`; read again only when its size or time of change is another."""
    real = path.resolve()
    status = real.stat()
    seen = {"size": status.st_size, "changed": status.st_mtime_ns, "inode": status.st_ino}
    note = settings().home / "cache" / "sha256" / f"{sha256_text(os.fspath(real))[:32]}.json"
    known = _remembered(note)
    if all(known.get(key) == value for key, value in seen.items()):
        return str(known["sha256"])
    digest = sha256_file(real)
    write_json(note, {**seen, "sha256": digest})
    return digest


def _remembered(note: Path) -> dict[str, Any]:
    """What an earlier call wrote, or nothing; an unreadable note only costs reading the file again."""
    try:
        known = read_json(note)
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) and "sha256" in known else {}
