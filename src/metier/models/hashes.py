"""sha256 of large files, computed once: remembered by path, size and time of change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from metier.core.files import MANIFEST, read_json, sha256_file, sha256_text, write_json
from metier.core.settings import settings


def file_sha256(path: Path) -> str:
    """Hex sha256 of the bytes of `path`; read again only when its size or time of change is another.

    A model of the store was hashed when it came: what its manifest says holds while the file is not newer than that.
    """
    real = path.resolve()
    status = real.stat()
    seen = {"size": status.st_size, "changed": status.st_mtime_ns, "inode": status.st_ino}
    note = settings().home / "cache" / "sha256" / f"{sha256_text(os.fspath(real))[:32]}.json"
    known = _remembered(note)
    if all(known.get(key) == value for key, value in seen.items()):
        return str(known["sha256"])
    digest = _in_manifest(real, status) or sha256_file(real)
    write_json(note, {**seen, "sha256": digest})
    return digest


def _in_manifest(path: Path, status: os.stat_result) -> str | None:
    manifest = path.parent / MANIFEST
    if not manifest.is_file() or status.st_mtime_ns > manifest.stat().st_mtime_ns:
        return None
    entry = _remembered(manifest, "files").get("files", {}).get(path.name, {})
    return str(entry["sha256"]) if entry.get("size") == status.st_size else None


def _remembered(note: Path, key: str = "sha256") -> dict[str, Any]:
    """What was written to `note`, or nothing; an unreadable note only costs reading the file again."""
    try:
        known = read_json(note)
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) and key in known else {}
