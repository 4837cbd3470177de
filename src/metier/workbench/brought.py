"""Reports that came in to be read: kept until their run has them, and linked into its folder.

<folder>/<owner>/<id>/file.pdf and said.json, which is written last: without it there is nothing.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from metier.core.errors import DataError
from metier.core.files import read_json, write_json
from metier.knowledge.adding import shown_name
from metier.workbench.accounts import Person
from metier.workbench.errors import NotFoundError
from metier.workbench.quota import Quota
from metier.workbench.store.tables import new_id

SAID = "said.json"
_UNREAD_SECONDS = 86_400.0
_LONGEST_SUFFIX = 8


@dataclass(frozen=True)
class Brought:
    """A file that came in. file_name: as its sender called it, for showing; size: bytes."""

    id: str
    file_name: str
    size: int


class BroughtReports:
    """Files of an installation's owners. of_run: the file of another run of theirs, to be read once more."""

    def __init__(self, folder: Path, quota: Quota, of_run: Callable[[Person, str], tuple[Path, str]]) -> None:
        self.folder = folder
        self.quota = quota
        self._of_run = of_run
        quota.counted.append(self.used_bytes)

    async def receive(self, owner: Person, file_name: str, parts: AsyncIterator[bytes]) -> Brought:
        """Takes a file in, counting what really comes. Raises TooLargeError, and DataError for nothing at all."""
        file_name = shown_name(file_name)
        folder = self.folder / owner.id / new_id()
        folder.mkdir(parents=True)
        try:
            size = await self.quota.write(owner, folder.name, parts, folder / f"file{_suffix(file_name)}")
            if not size:
                raise DataError("knowledge.empty_file", file=file_name)
            brought = Brought(folder.name, file_name, size)
            write_json(folder / SAID, asdict(brought))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            self.quota.end(folder.name)
        return brought

    def freeze(self, owner: Person, work: dict[str, Any], folder: Path | None) -> dict[str, Any]:
        """The work with its file linked into a run's folder. Raises NotFoundError for one that is not the owner's."""
        if work["of"]:
            file, name = self._of_run(owner, work["of"])
        else:
            file, name = self._file(owner, work["upload"])
        if folder is None:
            return {**work, "file_name": name, "file": str(file)}
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"report{file.suffix}"
        try:
            os.link(file, target)
        except OSError:
            shutil.copyfile(file, target)
        return {**work, "file_name": name, "file": str(target.resolve())}

    def discard(self, owner: Person, upload_id: str) -> None:
        """Lets a file go that its run has, or that is not wanted any more."""
        file, _ = self._file(owner, upload_id)
        shutil.rmtree(file.parent, ignore_errors=True)

    def used_bytes(self, owner: Person) -> int:
        """Bytes of an owner's files that wait."""
        return sum(path.stat().st_size for path in (self.folder / owner.id).glob("*/file*"))

    def clear_away(self) -> None:
        """Removes what a kill left half, and what nobody had read within a day."""
        for folder in self.folder.glob("*/*"):
            said = folder / SAID
            if not said.is_file() or time.time() - said.stat().st_mtime > _UNREAD_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def _file(self, owner: Person, upload_id: str) -> tuple[Path, str]:
        folder = self.folder / owner.id / upload_id
        if not upload_id.isalnum() or not upload_id.isascii() or not (folder / SAID).is_file():
            raise NotFoundError("workbench.no_upload")
        return next(folder.glob("file*")), str(read_json(folder / SAID)["file_name"])


def _suffix(file_name: str) -> str:
    """The end of a name, as readers know formats by it; nothing of a name goes further."""
    suffix = Path(file_name).suffix.lower()
    fits = suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= _LONGEST_SUFFIX
    return suffix if fits else ""
