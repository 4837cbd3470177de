"""An owner's sets: uploaded by real bytes, looked into, given columns, registered, shown as a model will see them."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from metier.core.errors import DataError
from metier.core.files import sha256_file, write_json
from metier.data import Dataset as LoadedSet
from metier.data import load_dataset
from metier.data.bundles import BUNDLE
from metier.data.containers import CONTAINERS, file_type
from metier.data.entries import shipped_entries
from metier.data.picturefiles import PICTURES_JSON
from metier.workbench.accounts import Person
from metier.workbench.apart import ask
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.quota import Quota
from metier.workbench.store.answers import forget_answers
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Dataset, new_id

_NAME = re.compile(r"[^\W][\w.\-]{0,63}")
_RESERVED = ("new", "uploads")  # places of the pages
UPLOAD = "upload.json"
_KEPT = ("format", "kind", "columns", "encoding", "notes", "skipped", "records", "pictures")
PAGE = 50
_OFFICE = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")  # zip files, such as .docx, and old Office files
_TEXTS = (".json", ".jsonl", ".csv", ".tsv", ".txt", ".md")


@dataclass(frozen=True)
class Upload:
    """A file that came in and is not registered yet. file_name: as its sender called it, for showing only."""

    id: str
    file_name: str
    size: int


@dataclass(frozen=True)
class Page:
    """Some sets, and the name that the next ones begin behind (None: there are no more)."""

    datasets: list[Dataset]
    next: str | None
    total: int


@dataclass(frozen=True)
class Look:
    """What a file seems to be. columns: in order of appearance; rows: the first few, as text; format: where it is one
    of the known; roles: role → column, as it would be read; problem: why it cannot be read as it is; needs_columns: a
    mapping is asked for."""

    columns: list[str]
    rows: list[dict[str, str]]
    format: str | None
    roles: dict[str, str]
    problem: str
    needs_columns: bool


class Datasets:
    """Sets of an installation's owners. Each lies in a folder named by its id; its file is never changed."""

    def __init__(self, database: Database, folder: Path, uploads: Path, quota: Quota) -> None:
        self.database = database
        self.folder = folder
        self.uploads = uploads
        self.quota = quota
        quota.counted.append(self.used_bytes)
        self.removed: Callable[..., None] = lambda owner, row, runs: None  # who else has something of it listens

    # Uploads

    async def receive(self, owner: Person, file_name: str, parts: AsyncIterator[bytes]) -> Upload:
        """Takes a file in, counting what really comes. Raises TooLargeError; DataError for a type that is not read,
        and for what is nothing at all or no text under a text's name: such a file can only be sent anew."""
        suffix = _suffix(file_name)
        file_name = file_name.replace("\0", "")[:300]
        upload_id = new_id()
        folder = self.uploads / owner.id / upload_id
        folder.mkdir(parents=True)
        try:
            size = await self.quota.write(owner, upload_id, parts, folder / f"file{suffix}.part")
            _refuse_other(folder / f"file{suffix}.part", suffix, file_name)
            (folder / f"file{suffix}.part").replace(folder / f"file{suffix}")
            if suffix == BUNDLE:
                size = await asyncio.to_thread(self._unpack, owner, upload_id, folder / f"file{suffix}", file_name)
            write_json(folder / UPLOAD, {"file_name": file_name, "size": size})
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            self.quota.end(upload_id)
        return Upload(upload_id, file_name, size)

    def _unpack(self, owner: Person, upload_id: str, archive: Path, file_name: str) -> int:
        """Puts a zip's table and pictures in its place. What comes out counts as what came in does."""
        left = max(0, self.quota.quota_bytes - self.quota.used_bytes(owner))
        unpacked = ask("unpack", archive=archive, shown_as=file_name, most=min(left, self.quota.upload_bytes))
        size = int(unpacked["size"])
        self.quota.count(owner, upload_id, size, whole=True)
        return size

    def used_bytes(self, owner: Person) -> int:
        """Bytes of an owner's sets and waiting uploads."""
        with self.database.read() as session:
            kept = session.scalar(select(func.sum(Dataset.size)).where(Dataset.owner_id == owner.id)) or 0
        return int(kept) + sum(_waiting_bytes(path) for path in (self.uploads / owner.id).glob(f"*/{UPLOAD}"))

    def look(
        self, owner: Person, upload_id: str, *, columns: Mapping[str, str] | None = None, format: str | None = None,
        skip_bad_rows: bool = False,
    ) -> Look:  # fmt: skip
        """The first rows of an upload, and whether it can be read (with these columns)."""
        seen = ask(
            "look",
            file=self._upload(owner, upload_id),
            shown_as=self.upload(owner, upload_id).file_name,
            columns=dict(columns or {}) or None,
            format=format,
            skip_bad_rows=skip_bad_rows,
            pictures=self._upload(owner, upload_id).parent / PICTURES_JSON,
        )
        return Look(**seen)

    def register(
        self, owner: Person, upload_id: str, name: str, *, columns: Mapping[str, str] | None = None,
        format: str | None = None, skip_bad_rows: bool = False,
    ) -> Dataset:  # fmt: skip
        """Reads the whole upload and gives it a name. Raises DataError with the first row that is wrong."""
        name = name.strip()
        if not _NAME.fullmatch(name) or name in _RESERVED:
            raise DataError("data.bad_name", name=name[:80])
        if name in shipped_entries():
            raise ConflictError("data.name_shipped", name=name)
        file = self._upload(owner, upload_id)
        said = json.loads((file.parent / UPLOAD).read_text(encoding="utf-8"))
        read = ask(
            "read",
            file=file,
            shown_as=said["file_name"],
            columns=dict(columns or {}) or None,
            format=format,
            skip_bad_rows=skip_bad_rows,
            folder=file.parent,
            pictures=file.parent / PICTURES_JSON,
        )
        row = Dataset(
            id=new_id(),
            owner_id=owner.id,
            name=name,
            file_name=said["file_name"],
            sha256=sha256_file(file),
            size=file.stat().st_size + read["pictures"]["bytes"],
            rows=read["rows"],
            details=_details(read, columns, skip_bad_rows),
        )
        target = self.folder / row.id
        target.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / UPLOAD).unlink()
        file.parent.rename(target)
        try:
            with self.database.write() as session:
                session.add(row)
        except IntegrityError as error:
            target.rename(file.parent)
            write_json(file.parent / UPLOAD, said)
            raise ConflictError("workbench.dataset_taken", name=name) from error
        return row

    def discard(self, owner: Person, upload_id: str) -> None:
        """Throws an upload away."""
        shutil.rmtree(self._upload(owner, upload_id).parent, ignore_errors=True)

    def waiting(self, owner: Person, *, limit: int = PAGE) -> list[Upload]:
        """An owner's newest uploads that are not registered yet."""
        found = []
        folder = self.uploads / owner.id
        newest = sorted(folder.iterdir(), key=lambda one: -one.stat().st_mtime) if folder.is_dir() else []
        for path in newest[:limit]:
            with suppress(NotFoundError):
                found.append(self.upload(owner, path.name))
        return found

    def upload(self, owner: Person, upload_id: str) -> Upload:
        """One of them. Raises NotFoundError."""
        said = json.loads((self._upload(owner, upload_id).parent / UPLOAD).read_text(encoding="utf-8"))
        return Upload(upload_id, said["file_name"], said["size"])

    def _upload(self, owner: Person, upload_id: str) -> Path:
        folder = self.uploads / owner.id / upload_id
        files = (
            [path for path in folder.glob("file.*") if not path.name.endswith(".part")] if upload_id.isalnum() else []
        )
        if not files or not (folder / UPLOAD).is_file():
            raise NotFoundError("workbench.no_upload")
        return files[0]

    # Registered ones

    def list(self, owner: Person) -> list[Dataset]:
        """An owner's sets, the newest first."""
        with self.database.read() as session:
            query = select(Dataset).where(Dataset.owner_id == owner.id).order_by(Dataset.created.desc())
            return list(session.scalars(query))

    def page(self, owner: Person, *, search: str = "", after: str | None = None, limit: int = PAGE) -> Page:
        """An owner's sets, the newest first. after: the name that the previous page ended with."""
        query = select(Dataset).where(Dataset.owner_id == owner.id)
        if search.strip():
            query = query.where(Dataset.name.icontains(search.strip(), autoescape=True))
        limit = max(1, min(limit, 200))
        with self.database.read() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            if after is not None:
                last = self.get(owner, after)
                older = (Dataset.created < last.created) | ((Dataset.created == last.created) & (Dataset.id < last.id))
                query = query.where(older)
            rows = list(session.scalars(query.order_by(Dataset.created.desc(), Dataset.id.desc()).limit(limit + 1)))
        return Page(rows[:limit], rows[limit - 1].name if len(rows) > limit else None, total)

    def get(self, owner: Person, name: str) -> Dataset:
        """One set by id or name. Raises NotFoundError."""
        with self.database.read() as session:
            query = select(Dataset).where(Dataset.owner_id == owner.id, (Dataset.id == name) | (Dataset.name == name))
            row = session.scalar(query)
        if row is None:
            raise NotFoundError("workbench.no_dataset", name=name[:80])
        return row

    def rows_of(self, owner: Person, name: str) -> int | None:
        """How many rows an owner's set has; None where it is not known without reading it."""
        with self.database.read() as session:
            return session.scalar(select(Dataset.rows).where(Dataset.owner_id == owner.id, Dataset.name == name))

    def find(self, owner: Person, name: str) -> tuple[Dataset, Path, dict[str, Any]]:
        """A set, its file, and its entry in a `dataset_info.json`."""
        row = self.get(owner, name)
        return row, self.file_of(row), dict(row.details["entry"])

    def file_of(self, row: Dataset) -> Path:
        """The file of a set."""
        return next(iter((self.folder / row.id).glob("file.*")))

    def pictures_of(self, row: Dataset) -> Path:
        """The names of the pictures that came with a set: none others are opened for it. May be absent: then none."""
        return self.folder / row.id / PICTURES_JSON

    def remove(self, owner: Person, name: str, *, runs: bool = False) -> None:
        """Removes a set with all that was made of it. Live jobs keep their copy until they end; of ended ones only the
        results stay, with `runs` not even these."""
        row = self.get(owner, name)
        # First and last: a kill in between leaves a set that can be removed again, and no copy that nobody knows of;
        # a job that took its copy meanwhile is found the second time.
        self.removed(owner, row, runs=runs)
        with self.database.write() as session:
            session.execute(delete(Dataset).where(Dataset.id == row.id, Dataset.owner_id == owner.id))
            forget_answers(session, owner.id, row.id)
        shutil.rmtree(self.folder / row.id, ignore_errors=True)
        self.removed(owner, row, runs=runs)

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
            pictures=self.pictures_of(row),
        )

    def clear_away(self) -> None:
        """Removes what a kill left: half uploads, and folders of sets that are in no list."""
        for upload in self.uploads.glob("*/*"):
            if not (upload / UPLOAD).is_file():
                shutil.rmtree(upload, ignore_errors=True)
        with self.database.read() as session:
            known = set(session.scalars(select(Dataset.id)))
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.name not in known:
                shutil.rmtree(path, ignore_errors=True)


def _details(read: Mapping[str, Any], columns: Mapping[str, str] | None, skip_bad_rows: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"formatting": read["format"]}
    if columns or read["format"] in ("sharegpt", "openai"):
        entry["columns"] = read["columns"]
    kept = {key: read[key] for key in _KEPT}
    return {"entry": entry, **kept, "skip_bad_rows": skip_bad_rows}


def _waiting_bytes(said: Path) -> int:
    try:
        return int(json.loads(said.read_text(encoding="utf-8"))["size"])
    except (OSError, ValueError):  # registered or thrown away just now
        return 0


def _suffix(file_name: str) -> str:
    """The suffix that a file is kept under; its name is never used for a path."""
    suffix = file_type(Path(file_name.replace("\\", "/").rsplit("/", 1)[-1]))
    if suffix not in CONTAINERS and not (suffix == BUNDLE and not file_name.lower().endswith(".gz")):
        raise DataError("data.unknown_file_type", file=file_name[:200], known=" ".join((*CONTAINERS, BUNDLE)))
    return suffix + (".gz" if file_name.lower().endswith(".gz") else "")


def _refuse_other(file: Path, suffix: str, file_name: str) -> None:
    with file.open("rb") as source:
        head = source.read(8)
    if not head:
        raise DataError("data.empty_file", file=file_name)
    if suffix in _TEXTS and head.startswith(_OFFICE):
        raise DataError("workbench.office_file", file=file_name, suffix=suffix)


def names(rows: Iterable[Dataset]) -> list[str]:
    """The names of sets."""
    return [row.name for row in rows]
