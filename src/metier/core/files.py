"""Files that are either whole or absent.

What must be whole is written aside, fsynced and renamed; folders carry a manifest with the sha256 of each file.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from metier.core.errors import CorruptionError, RunError

MANIFEST = "manifest.json"
_CHUNK = 1 << 20


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()


def sha256_text(text: str) -> str:
    """Hex sha256 of the UTF-8 bytes of `text` (lone surrogates kept apart, never dropped)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint(value: Any) -> str:
    """Hex sha256 of a JSON-able value, independent of the order of keys."""
    return sha256_text(json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str))


def fsync_folder(folder: Path) -> None:
    """Makes renames and creations in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, content: bytes) -> None:
    """Replaces `path` whole: written aside, fsynced, renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with aside.open("wb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Replaces `path` whole with UTF-8 text."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Replaces `path` whole with readable JSON."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """The JSON in `path`."""
    return json.loads(path.read_text(encoding="utf-8"))


def append_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Appends rows, one JSON object a line, and fsyncs once. A torn last line of an earlier kill is cut off first."""
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as target:
        end = _end_of_last_line(path)
        if end != target.tell():
            target.truncate(end)
        target.write(content)
        target.flush()
        os.fsync(target.fileno())


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """All whole lines of a file of ours; a torn last line (a kill while appending) does not count."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    return [json.loads(line) for line in whole.splitlines() if line.strip()]


def _end_of_last_line(path: Path) -> int:
    """Offset just behind the last newline."""
    with path.open("rb") as source:
        size = source.seek(0, os.SEEK_END)
        end = size
        while end > 0:
            start = max(0, end - 4096)
            source.seek(start)
            newline = source.read(end - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
    return 0


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yields a folder to fill; on success it gets a manifest and takes the name `target`, else it vanishes.

    An existing `target` is replaced only after the new one is complete and durable.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    aside.mkdir()
    try:
        yield aside
        write_manifest(aside)
        for path in [*sorted(aside.rglob("*")), aside]:
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        old = None
        if target.exists():
            old = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old")
            target.rename(old)
        aside.rename(target)
        fsync_folder(target.parent)
        if old is not None:
            shutil.rmtree(old)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def write_manifest(folder: Path, **extra: Any) -> None:
    """Writes `manifest.json`: sha256 and size of each file below `folder`, and `extra`."""
    entries = {
        str(path.relative_to(folder)): {"sha256": sha256_file(path), "size": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    write_json(folder / MANIFEST, {**extra, "files": entries})


def verify_manifest(folder: Path) -> None:
    """Raises CorruptionError naming the first file that is missing or whose bytes changed."""
    manifest = folder / MANIFEST
    try:
        entries = read_json(manifest)["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptionError("core.manifest_unreadable", file=manifest) from error
    for name, entry in entries.items():
        path = folder / name
        if not path.is_file():
            raise CorruptionError("core.file_missing", file=path)
        if path.stat().st_size != entry["size"] or sha256_file(path) != entry["sha256"]:
            raise CorruptionError("core.file_changed", file=path)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Holds `folder` for this process; a second holder gets RunError. The kernel frees it when the process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.seek(0)
            raise RunError("core.folder_locked", folder=folder, pid=handle.read().strip() or "?") from error
        handle.seek(0)
        handle.truncate()
        handle.write(str(os.getpid()))
        handle.flush()
        yield
