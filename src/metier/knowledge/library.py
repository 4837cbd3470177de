"""The knowledge bases of an installation's owners.

<folder>/<owner>/<id>/
  base.json       id, name, title, embedder, created
  documents/      see `metier.knowledge.shelf`
  index/          see `metier.knowledge.index`
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from metier.core.errors import DataError
from metier.core.files import fsync_folder, write_json
from metier.core.registry import nearest
from metier.knowledge.base import BASE, KnowledgeBase, Opener, open_own
from metier.knowledge.base import LOCAL as LOCAL
from metier.knowledge.shelf import Shelf

_NAME = re.compile(r"[^\W_][\w.\-]{0,63}")
_OWNER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_GONE = ".gone-"
_MOST_KNOWN = 200


class Library:
    """Knowledge bases by owner and name. Nobody sees another owner's: the owner is the folder that is looked into.

    opener: what opens the bases' embedders, in this process where nothing else is said.
    """

    def __init__(self, folder: Path, opener: Opener = open_own) -> None:
        self.folder = folder
        self._opener = opener
        self._known: dict[Path, KnowledgeBase] = {}  # bases keep their index open

    def create(self, owner: str, name: str, *, title: str = "", embedder: str = "") -> KnowledgeBase:
        """A new, empty base. Raises DataError for a name that is taken or cannot be one."""
        name = name.strip()
        if not _NAME.fullmatch(name):
            raise DataError("knowledge.bad_name", name=name[:80])
        home = self._home(owner)
        home.mkdir(parents=True, exist_ok=True)
        with Shelf(home).exclusive():
            if any(base.name == name for base in self.list(owner)):
                raise DataError("knowledge.base_taken", name=name)
            base_id = secrets.token_hex(8)
            said = {
                "id": base_id,
                "name": name,
                "title": title.strip()[:300],
                "embedder": embedder,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            write_json(home / base_id / BASE, said)
        return KnowledgeBase(home / base_id, owner, self._opener)

    def list(self, owner: str) -> list[KnowledgeBase]:
        """An owner's bases, by name."""
        found = []
        for path in self._home(owner).glob(f"[!.]*/{BASE}"):
            with suppress(FileNotFoundError):  # removed just now
                found.append(self._base(path.parent, owner))
        return sorted(found, key=lambda base: base.name)

    def named(self, owner: str, names: Iterable[str]) -> dict[str, KnowledgeBase]:
        """Those of an owner's bases that are called so, as far as there are any."""
        there = {base.name: base for base in self.list(owner)}
        return {name: there[name] for name in names if name in there}

    def everyone(self) -> Iterator[KnowledgeBase]:
        """All owners' bases."""
        for path in self.folder.glob(f"[!.]*/[!.]*/{BASE}"):
            with suppress(FileNotFoundError):
                yield self._base(path.parent, path.parent.parent.name)

    def _base(self, folder: Path, owner: str) -> KnowledgeBase:
        if folder not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[folder] = KnowledgeBase(folder, owner, self._opener)
        return self._known[folder]

    def open(self, owner: str, name: str) -> KnowledgeBase:
        """One base by name or id. Raises DataError with the nearest known name."""
        bases = self.list(owner)
        for base in bases:
            if name in (base.name, base.id):
                return base
        hint = nearest(name, [base.name for base in bases])
        raise DataError("knowledge.no_base", name=name[:80], hint=hint)

    def remove(self, owner: str, name: str) -> None:
        """Removes a base with everything in it, at once."""
        base = self.open(owner, name)
        gone = base.folder.with_name(f"{_GONE}{base.id}")
        with base.shelf.exclusive(), suppress(FileNotFoundError):
            base.folder.rename(gone)
            fsync_folder(gone.parent)
        self._known.pop(base.folder, None)
        shutil.rmtree(gone, ignore_errors=True)

    def forget_owner(self, owner: str) -> None:
        """Removes everything of an owner's."""
        shutil.rmtree(self._home(owner), ignore_errors=True)

    def clear_away(self) -> None:
        """Ends removals that a kill broke off."""
        for path in self.folder.glob(f"*/{_GONE}*"):
            shutil.rmtree(path, ignore_errors=True)

    def used_bytes(self, owner: str) -> int:
        """Bytes of the files that an owner brought."""
        return sum(base.shelf.size() for base in self.list(owner))

    def _home(self, owner: str) -> Path:
        if not _OWNER.fullmatch(owner):
            raise ValueError(owner)
        return self.folder / owner
