"""Pictures of conversations: taken in, made anew in the confined child, kept for their owner, and gone with the words.

<folder>/<owner>/<id>.png or .jpeg: what is kept is never the file that came, only the picture that was seen in it.
A picture that came and was never asked about is cleared away after a day.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import String, cast, func, select

from metier.core.errors import DataError
from metier.core.files import write_bytes
from metier.data.messages import ImagePart
from metier.data.pictures import MOST_BYTES, picture_header
from metier.knowledge.adding import shown_name
from metier.knowledge.asking import ask
from metier.workbench.accounts import Person
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.quota import Quota
from metier.workbench.store.database import Database
from metier.workbench.store.tables import ChatTurn, new_id

MOST_IN_QUESTION = 8
_UNASKED_SECONDS = 86_400.0
_ID = re.compile(r"[0-9a-f]{16}")
_DATA_URL = re.compile(r"data:image/[\w.+-]+;base64,")


@dataclass(frozen=True)
class KeptPicture:
    """A picture that can be asked about. kind: `png` or `jpeg`; size: bytes."""

    id: str
    kind: str
    width: int
    height: int
    size: int

    def to_details(self) -> dict[str, Any]:
        """As a question's details keep it."""
        return {"id": self.id, "width": self.width, "height": self.height}


class Pictures:
    """Pictures of an installation's owners. What is not the asker's does not exist: NotFoundError."""

    def __init__(self, folder: Path, database: Database, quota: Quota) -> None:
        self.folder = folder
        self.database = database
        self.quota = quota
        quota.counted.append(self.used_bytes)

    async def receive(self, owner: Person, file_name: str, parts: AsyncIterator[bytes]) -> KeptPicture:
        """Takes a picture in, counting what really comes. Raises TooLargeError, DataError for what is no picture."""
        coming = self._coming(owner)
        try:
            await self.quota.write(owner, coming.name, parts, coming, most=MOST_BYTES)
            return await asyncio.to_thread(self._keep, owner, coming, shown_name(file_name))
        finally:
            self.quota.end(coming.name)
            coming.unlink(missing_ok=True)

    def named(self, owner: Person, named: Iterable[str]) -> list[KeptPicture]:
        """The pictures of a question. named: ids of pictures that were sent, or `data:` addresses of new ones."""
        named = list(named)
        if len(named) > MOST_IN_QUESTION:
            raise ConflictError("workbench.chat_many_pictures", most=MOST_IN_QUESTION)
        for one in named:
            if not one.startswith("data:"):
                self.file(owner, one)
        return [self._of_address(owner, one) if one.startswith("data:") else self.get(owner, one) for one in named]

    def get(self, owner: Person, picture_id: str) -> KeptPicture:
        """One of somebody's pictures."""
        file = self.file(owner, picture_id)
        seen = picture_header(ImagePart(path=str(file)))
        return KeptPicture(picture_id, seen.kind, seen.width, seen.height, seen.size)

    def file(self, owner: Person, picture_id: str) -> Path:
        """Where it lies."""
        found = self._file(owner.id, picture_id)
        if found is None:
            raise NotFoundError("workbench.not_found")
        return found

    def discard(self, owner: Person, picture_id: str) -> None:
        """Throws a picture away that was not asked about. Raises ConflictError for one that a conversation shows."""
        file = self.file(owner, picture_id)
        if self._is_asked_about(owner.id, picture_id):
            raise ConflictError("workbench.picture_in_use")
        file.unlink(missing_ok=True)

    def forget(self, owner_id: str, turns: Iterable[ChatTurn]) -> None:
        """Questions are gone: so are their pictures, but for those that another question shows too."""
        for picture_id in {one["id"] for turn in turns for one in turn.details.get("pictures", [])}:
            file = self._file(owner_id, picture_id)
            if file is not None and not self._is_asked_about(owner_id, picture_id):
                file.unlink(missing_ok=True)

    def used_bytes(self, owner: Person) -> int:
        """Bytes of an owner's pictures."""
        return sum(path.stat().st_size for path in self._of(owner.id) if path.suffix != ".part")

    def clear_away(self) -> None:
        """Removes what a kill left, and what came long ago and was never asked about."""
        for folder in self.folder.iterdir() if self.folder.is_dir() else ():
            for path in self._of(folder.name):
                old = time.time() - path.stat().st_mtime > _UNASKED_SECONDS
                if path.suffix == ".part" or (old and not self._is_asked_about(folder.name, path.stem)):
                    path.unlink(missing_ok=True)

    def _coming(self, owner: Person) -> Path:
        folder = self.folder / owner.id
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{new_id()}.part"

    def _of_address(self, owner: Person, address: str) -> KeptPicture:
        """A picture whose bytes stand in its address."""
        start = _DATA_URL.match(address)
        try:
            content = base64.b64decode(address[start.end() :], validate=True) if start else b""
        except (binascii.Error, ValueError):
            content = b""
        if not content:
            raise DataError("workbench.bad_picture_address")
        coming = self._coming(owner)
        try:
            self.quota.count(owner, coming.name, len(content), whole=True)
            coming.write_bytes(content)
            return self._keep(owner, coming, "data:…")
        finally:
            self.quota.end(coming.name)
            coming.unlink(missing_ok=True)

    def _keep(self, owner: Person, coming: Path, name: str) -> KeptPicture:
        """Keeps the picture that is seen in a file, not the file."""
        seen = ask("repaint", name=name, path=str(coming.absolute()))
        content = base64.b64decode(seen["content"])
        kept = KeptPicture(new_id(), seen["kind"], seen["width"], seen["height"], len(content))
        write_bytes(coming.with_name(f"{kept.id}.{kept.kind}"), content)
        return kept

    def _file(self, owner_id: str, picture_id: str) -> Path | None:
        if not _ID.fullmatch(picture_id):
            return None
        found = (self.folder / owner_id / f"{picture_id}.{kind}" for kind in ("png", "jpeg"))
        return next((path for path in found if path.is_file()), None)

    def _of(self, owner_id: str) -> list[Path]:
        folder = self.folder / owner_id
        return list(folder.iterdir()) if folder.is_dir() else []

    def _is_asked_about(self, owner_id: str, picture_id: str) -> bool:
        query = select(func.count()).select_from(ChatTurn)
        query = query.where(ChatTurn.owner_id == owner_id, cast(ChatTurn.details, String).contains(picture_id))
        with self.database.read() as session:
            return bool(session.scalar(query))
