"""Where the pictures are that rows name: below a folder of this machine, or among a set's own and nowhere else.

A set's own pictures lie in a folder under the sha256 of their bytes; `pictures.json` says which name is which:
{"folder": "pictures", "base": "train", "files": {"train/a.png": "<sha256>"}}. base: the folder that names begin in.
"""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from metier.core.errors import CorruptionError
from metier.core.files import read_json

PICTURES = "pictures"
PICTURES_JSON = "pictures.json"


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """folder: where relative paths begin; named: if there, only these names are pictures, and no path of the machine;
    base: the folder, among the named, that names begin in."""

    folder: Path
    named: Mapping[str, Path] | None = None
    base: str = ""

    def find(self, name: str) -> Path | None:
        """The file of a picture that a row names, None if there is none."""
        if self.named is None:
            path = self.folder / name
            return path if "\0" not in name and path.is_file() else None
        plain = plain_name(name)
        return self.named.get(posixpath.normpath(posixpath.join(self.base, plain))) or self.named.get(plain)


def plain_name(name: str) -> str:
    """A relative name in one spelling: `.\\b\\a.png` and `b/a.png` are the same."""
    return posixpath.normpath(unicodedata.normalize("NFC", name).replace("\\", "/"))


def own_pictures(names: Path) -> PictureFiles:
    """The pictures of a `pictures.json`, none where it is not there. Raises CorruptionError if it is not one."""
    if not names.is_file():
        return PictureFiles(names.parent, {})
    stat = names.stat()
    return _own(names, stat.st_mtime_ns, stat.st_size)


@lru_cache(8)
def _own(names: Path, _changed: int, _size: int) -> PictureFiles:
    said: Any = read_json(names)
    try:
        folder = names.parent / Path(said["folder"]).name
        files = {name: folder / Path(stored).name for name, stored in said["files"].items()}
        return PictureFiles(names.parent, files, said["base"])
    except (KeyError, TypeError, AttributeError) as error:
        raise CorruptionError("data.bad_picture_names", file=names) from error


def picture_names(base: str, files: Mapping[str, str], folder: str = PICTURES) -> dict[str, Any]:
    """What a `pictures.json` says. files: name → sha256."""
    return {"folder": folder, "base": base, "files": dict(sorted(files.items()))}
