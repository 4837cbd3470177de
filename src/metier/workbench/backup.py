"""Everything of an installation in one file, taken while it works, and put back on an empty one.

The file is a tar: `store.jsonl` (every row of every table, read in one transaction), the data folder's files, the
installation's secret, and `manifest.json` with the sha256 of each. Rows are independent of the database: a backup of
SQLite goes back into PostgreSQL as well.

What changes meanwhile: rows are read first. A set or job that is removed while its files are copied is left out
whole; what is added later is not in it. A job that runs is kept as far as its last checkpoint that was copied whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select, text

from metier.core.errors import CorruptionError, RunError
from metier.core.files import sha256_file
from metier.knowledge.library import Library
from metier.workbench.settings import WorkbenchSettings
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Base, Time

STORE, MANIFEST, SECRET = "store.jsonl", "manifest.json", "secret"
_FOLDERS = ("brought", "datasets", "jobs", "pictures", "specialists")
_OWNED = {"datasets": "datasets", "jobs": "jobs"}  # table → folder with one entry a row
_AT_ONCE = 500


def backup(settings: WorkbenchSettings, target: Path) -> dict[str, int]:
    """Writes a backup and returns counts of rows and files. The server may run. target: appears when it is whole."""
    if target.exists():
        raise RunError("workbench.backup_exists", file=target)
    database = Database(settings.database)
    aside = target.with_name(f".{target.name}.tmp")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            descriptor = os.open(aside, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)  # it holds secrets
            with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w") as archive:
                counts = _write(archive, database, settings, Path(scratch))
            handle = os.open(aside, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        aside.rename(target)
    finally:
        aside.unlink(missing_ok=True)
        database.close()
    return counts


def _write(archive: tarfile.TarFile, database: Database, settings: WorkbenchSettings, scratch: Path) -> dict[str, int]:
    rows = _rows(database)
    hashes: dict[str, str] = {}
    for path in _files(settings.folder):
        _add(archive, path, str(path.relative_to(settings.folder)), scratch, hashes)
    for base in Library(settings.folder / "knowledge").everyone():
        with base.shelf.exclusive():  # so that documents and index are of one moment
            for path in _below(base.folder):
                _add(archive, path, str(path.relative_to(settings.folder)), scratch, hashes)
    there = {table: _entries(settings.folder / folder) for table, folder in _OWNED.items()}
    gone = {row["id"] for table, row in rows if table in there and row["id"] not in there[table]}
    kept = [(table, row) for table, row in rows if not gone & {row.get("id"), row.get("job_id")}]
    store = scratch / STORE
    with store.open("w", encoding="utf-8") as lines:
        lines.write(json.dumps({"revision": database.revision()}) + "\n")
        for table, row in kept:
            lines.write(json.dumps([table, row], ensure_ascii=False, default=str) + "\n")
    _add(archive, store, STORE, scratch, hashes)
    manifest = scratch / MANIFEST
    manifest.write_text(json.dumps({"files": hashes}, indent=1), encoding="utf-8")
    archive.add(manifest, MANIFEST)
    return {"rows": len(kept), "files": len(hashes) - 1}


def _rows(database: Database) -> list[tuple[str, dict[str, Any]]]:
    """Every row of every table, parents first, as of one moment."""
    found = []
    level = "SERIALIZABLE" if database.is_sqlite else "REPEATABLE READ"
    with database.engine.connect().execution_options(isolation_level=level) as connection, connection.begin():
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                found.append((table.name, {key: _plain(value) for key, value in row.items()}))
    return found


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _files(folder: Path) -> Iterator[Path]:
    for name in _FOLDERS:
        yield from _below(folder / name)
    if (folder / SECRET).is_file():
        yield folder / SECRET


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.name != ".lock":
            yield path


def _entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _add(archive: tarfile.TarFile, path: Path, name: str, scratch: Path, hashes: dict[str, str]) -> None:
    """A copy first: a file that grows or goes while it is read would spoil the archive."""
    copy = scratch / "copy"
    try:
        shutil.copyfile(path, copy)
    except FileNotFoundError:
        return  # removed since it was listed
    hashes[name] = sha256_file(copy)
    archive.add(copy, name)


def restore(source: Path, settings: WorkbenchSettings) -> dict[str, int]:
    """Puts a backup into an empty data folder and database. Raises RunError where something is there already,
    CorruptionError for a backup whose bytes changed; then nothing is left behind."""
    if not source.is_file():
        raise RunError("workbench.no_backup", file=source)
    folder = settings.folder
    if folder.exists() and any(folder.iterdir()):
        raise RunError("workbench.not_empty", folder=folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name}.restoring")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        store, files = _unpack(source, aside)
        if folder.exists():
            folder.rmdir()
        aside.rename(folder)
        try:
            count = _put_rows(settings, store)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return {"rows": count, "files": files}


def _unpack(source: Path, folder: Path) -> tuple[list[str], int]:
    """Unpacks and verifies; returns the lines of the store, and how many files came beside it."""
    try:
        with tarfile.open(source) as archive:
            archive.extractall(folder, filter="data")
        hashes = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (tarfile.TarError, OSError, ValueError, KeyError) as error:
        raise CorruptionError("workbench.bad_backup", file=source) from error
    for name, digest in hashes.items():
        path = folder / name
        if not path.is_file() or _digest(path) != digest:
            raise CorruptionError("workbench.backup_changed", file=source, name=name)
    lines = (folder / STORE).read_text(encoding="utf-8").splitlines()
    (folder / STORE).unlink()
    (folder / MANIFEST).unlink()
    if (folder / SECRET).is_file():
        (folder / SECRET).chmod(0o600)
    return lines, len(hashes) - 1


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _put_rows(settings: WorkbenchSettings, lines: list[str]) -> int:
    database = Database(settings.database)
    try:
        database.upgrade()
        head = json.loads(lines[0])["revision"]
        if head != database.revision():
            raise RunError("workbench.other_revision", revision=head)
        tables: dict[str, list[dict[str, Any]]] = {}
        for line in lines[1:]:
            name, row = json.loads(line)
            tables.setdefault(name, []).append(row)
        with database.write() as session:
            if session.scalar(select(func.count()).select_from(Base.metadata.tables["users"])):
                raise RunError("workbench.not_empty", folder=settings.database_url or settings.folder)
            for table in Base.metadata.sorted_tables:
                rows = [_typed(table, row) for row in tables.get(table.name, [])]
                for start in range(0, len(rows), _AT_ONCE):
                    session.execute(table.insert(), rows[start : start + _AT_ONCE])
            # Nothing that was held on the other machine is held here.
            session.execute(text("DELETE FROM leases"))
        return len(lines) - 1
    finally:
        database.close()


def _typed(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    times = {column.name for column in table.columns if isinstance(column.type, Time)}
    return {key: datetime.fromisoformat(value) if key in times and value else value for key, value in row.items()}
