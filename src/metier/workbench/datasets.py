"""An owner's sets: uploaded by real bytes, looked into, given columns, registered, shown as a model will see them."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from metier.core.errors import DataError, UserError
from metier.core.files import sha256_file, write_json
from metier.data import Dataset as LoadedSet
from metier.data import load_dataset
from metier.data.containers import CONTAINERS, file_type, open_records
from metier.data.entries import shipped_entries
from metier.data.formats import decide_layout
from metier.workbench.accounts import Person
from metier.workbench.errors import ConflictError, NotFoundError, TooLargeError
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Dataset, new_id

_NAME = re.compile(r"[^\W][\w.\-]{0,63}")
_LOOKED_AT = 5
_CELL = 500


@dataclass(frozen=True)
class Upload:
    """A file that came in and is not registered yet. file_name: as its sender called it, for showing only."""

    id: str
    file_name: str
    size: int


@dataclass(frozen=True)
class Look:
    """What a file seems to be. columns: in order of appearance; rows: the first few, as text; format: where it is one
    of the known; problem: why it cannot be read as it is; needs_columns: a mapping is asked for."""

    columns: list[str]
    rows: list[dict[str, str]]
    format: str | None
    problem: str
    needs_columns: bool


class Datasets:
    """Sets of an installation's owners. Each lies in a folder named by its id; its file is never changed."""

    def __init__(self, database: Database, folder: Path, uploads: Path, *, upload_bytes: int, quota_bytes: int) -> None:
        self.database = database
        self.folder = folder
        self.uploads = uploads
        self.upload_bytes = upload_bytes
        self.quota_bytes = quota_bytes
        self._coming: dict[str, int] = {}
        self._lock = threading.Lock()

    # Uploads

    async def receive(self, owner: Person, file_name: str, parts: AsyncIterator[bytes]) -> Upload:
        """Takes a file in, counting what really comes. Raises TooLargeError; DataError for a type that is not read."""
        suffix = _suffix(file_name)
        upload_id = new_id()
        folder = self.uploads / owner.id / upload_id
        folder.mkdir(parents=True)
        size = 0
        try:
            with (folder / f"file{suffix}.part").open("wb") as target:
                async for part in parts:
                    size += len(part)
                    self._count(owner, upload_id, size)
                    target.write(part)
                target.flush()
                os.fsync(target.fileno())
            (folder / f"file{suffix}.part").replace(folder / f"file{suffix}")
            write_json(folder / "upload.json", {"file_name": file_name[:300], "size": size})
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            with self._lock:
                self._coming.pop(upload_id, None)
        return Upload(upload_id, file_name[:300], size)

    def _count(self, owner: Person, upload_id: str, size: int) -> None:
        if size > self.upload_bytes:
            raise TooLargeError("workbench.upload_too_large", most=self.upload_bytes)
        with self._lock:
            first = upload_id not in self._coming
            self._coming[upload_id] = size
            coming = sum(self._coming.values())
        if (first or size % (1 << 22) < (1 << 16)) and self.used_bytes(owner) + coming > self.quota_bytes:
            raise TooLargeError("workbench.quota_full", most=self.quota_bytes)

    def used_bytes(self, owner: Person) -> int:
        """Bytes of an owner's sets and waiting uploads."""
        with self.database.read() as session:
            kept = session.scalar(select(func.sum(Dataset.size)).where(Dataset.owner_id == owner.id)) or 0
        waiting = self.uploads / owner.id
        files = waiting.glob("*/file*") if waiting.is_dir() else ()
        return int(kept) + sum(path.stat().st_size for path in files if not path.name.endswith(".part"))

    def look(
        self, owner: Person, upload_id: str, *, columns: Mapping[str, str] | None = None, format: str | None = None
    ) -> Look:
        """The first rows of an upload, and whether it can be read (with these columns)."""
        file = self._upload(owner, upload_id)
        names: dict[str, None] = {}
        rows: list[dict[str, str]] = []
        chosen: str | None = None
        problem, needs = "", False
        try:
            source = open_records(file)
            first = None
            for row in islice(source.rows, _LOOKED_AT):
                if row.problem is not None:
                    raise row.problem
                first = first or row
                names.update(dict.fromkeys(row.values))
                rows.append({name: _cell(value) for name, value in row.values.items()})
            if first is None:
                raise DataError("data.empty_set", file=file.name)
            try:
                layout = decide_layout(first, folder=file.parent, format=format, columns=columns or None)
                chosen = layout.format.name
            except UserError as error:
                needs, problem = not columns, _say(error, file)
        except UserError as error:
            problem = _say(error, file)
        return Look(list(names), rows, chosen, problem, needs)

    def register(
        self, owner: Person, upload_id: str, name: str, *, columns: Mapping[str, str] | None = None,
        format: str | None = None, skip_bad_rows: bool = False,
    ) -> Dataset:  # fmt: skip
        """Reads the whole upload and gives it a name. Raises DataError with the first row that is wrong."""
        name = name.strip()
        if not _NAME.fullmatch(name):
            raise DataError("data.bad_name", name=name[:80])
        if name in shipped_entries():
            raise DataError("data.name_shipped", name=name)
        file = self._upload(owner, upload_id)
        try:
            loaded = load_dataset(
                str(file), columns=columns or None, format=format, skip_bad_rows=skip_bad_rows, allow_text=True
            )
        except UserError as error:
            error.fields.update({key: _hide(value, file) for key, value in error.fields.items()})
            raise
        said = json.loads((file.parent / "upload.json").read_text(encoding="utf-8"))
        row = Dataset(
            id=new_id(),
            owner_id=owner.id,
            name=name,
            file_name=said["file_name"],
            sha256=sha256_file(file),
            size=file.stat().st_size,
            rows=len(loaded),
            details=_details(loaded, columns, skip_bad_rows),
        )
        target = self.folder / row.id
        target.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "upload.json").unlink()
        file.parent.rename(target)
        try:
            with self.database.write() as session:
                session.add(row)
        except IntegrityError as error:
            target.rename(file.parent)
            write_json(file.parent / "upload.json", said)
            raise ConflictError("workbench.dataset_taken", name=name) from error
        return row

    def discard(self, owner: Person, upload_id: str) -> None:
        """Throws an upload away."""
        shutil.rmtree(self._upload(owner, upload_id).parent, ignore_errors=True)

    def _upload(self, owner: Person, upload_id: str) -> Path:
        folder = self.uploads / owner.id / upload_id
        files = (
            [path for path in folder.glob("file.*") if not path.name.endswith(".part")] if upload_id.isalnum() else []
        )
        if not files or not (folder / "upload.json").is_file():
            raise NotFoundError("workbench.no_upload")
        return files[0]

    # Registered ones

    def list(self, owner: Person) -> list[Dataset]:
        """An owner's sets, the newest first."""
        with self.database.read() as session:
            query = select(Dataset).where(Dataset.owner_id == owner.id).order_by(Dataset.created.desc())
            return list(session.scalars(query))

    def get(self, owner: Person, name: str) -> Dataset:
        """One set by id or name. Raises NotFoundError."""
        with self.database.read() as session:
            query = select(Dataset).where(Dataset.owner_id == owner.id, (Dataset.id == name) | (Dataset.name == name))
            row = session.scalar(query)
        if row is None:
            raise NotFoundError("workbench.no_dataset", name=name[:80])
        return row

    def find(self, owner: Person, name: str) -> tuple[Dataset, Path, dict[str, Any]]:
        """A set, its file, and its entry in a `dataset_info.json`."""
        row = self.get(owner, name)
        return row, self.file_of(row), dict(row.details["entry"])

    def file_of(self, row: Dataset) -> Path:
        """The file of a set."""
        return next(iter((self.folder / row.id).glob("file.*")))

    def remove(self, owner: Person, name: str) -> None:
        """Removes a set with its file. Runs keep what they froze until they are removed themselves."""
        row = self.get(owner, name)
        with self.database.write() as session:
            session.execute(delete(Dataset).where(Dataset.id == row.id, Dataset.owner_id == owner.id))
        shutil.rmtree(self.folder / row.id, ignore_errors=True)

    def load(self, owner: Person, name: str, *, most: int | None = None) -> LoadedSet:
        """An owner's or a shipped set, loaded."""
        if name in shipped_entries():
            return load_dataset(name, max_samples=most, skip_bad_rows=True)
        row = self.get(owner, name)
        details = row.details
        return load_dataset(
            str(self.file_of(row)),
            columns=details["entry"].get("columns") or None,
            format=details["format"] if not details["entry"].get("columns") else None,
            max_samples=most,
            skip_bad_rows=True,
            allow_text=True,
        )

    def clear_away(self) -> None:
        """Removes what a kill left: half uploads, and folders of sets that are in no list."""
        for part in self.uploads.glob("*/*/file*.part"):
            shutil.rmtree(part.parent, ignore_errors=True)
        with self.database.read() as session:
            known = set(session.scalars(select(Dataset.id)))
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.name not in known:
                shutil.rmtree(path, ignore_errors=True)


def _details(loaded: LoadedSet, columns: Mapping[str, str] | None, skip_bad_rows: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"formatting": loaded.format}
    if columns or loaded.format in ("sharegpt", "openai"):
        entry["columns"] = dict(loaded.columns)
    return {
        "entry": entry,
        "format": loaded.format,
        "kind": loaded.kind,
        "columns": dict(loaded.columns),
        "encoding": loaded.encoding,
        "skip_bad_rows": skip_bad_rows,
        "notes": [{"key": note.key, "fields": {k: str(v) for k, v in note.fields.items()}} for note in loaded.notes],
        "skipped": len(loaded.skipped),
    }


def _suffix(file_name: str) -> str:
    """The suffix that a file is kept under; its name is never used for a path."""
    suffix = file_type(Path(file_name.replace("\\", "/").rsplit("/", 1)[-1]))
    if suffix not in CONTAINERS:
        raise DataError("data.unknown_file_type", file=file_name[:200], known=" ".join(CONTAINERS))
    return suffix + (".gz" if file_name.lower().endswith(".gz") else "")


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _CELL else text[:_CELL] + "…"


def _say(error: UserError, file: Path) -> str:
    return error.text().replace(str(file), file.name)


def _hide(value: Any, file: Path) -> Any:
    """A message's field without the machine's path."""
    return str(value).replace(str(file), file.name) if isinstance(value, str | Path) else value


def names(rows: Iterable[Dataset]) -> list[str]:
    """The names of sets."""
    return [row.name for row in rows]
