"""What an admin may know of the machine: how full its disk is and what the data folder takes."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from metier import __version__
from metier.workbench.accounts import Person
from metier.workbench.errors import RefusedError
from metier.workbench.settings import WorkbenchSettings


@dataclass(frozen=True, slots=True)
class Machine:
    """Sizes in bytes. database: its address without a password."""

    version: str
    folder: str
    database: str
    disk_free: int
    disk_total: int


def machine(admin: Person, settings: WorkbenchSettings, database: str) -> Machine:
    """What is known at once. Raises RefusedError for a member."""
    _must_be_admin(admin)
    disk = shutil.disk_usage(settings.folder)
    return Machine(__version__, str(settings.folder.resolve()), database, disk.free, disk.total)


def data_bytes(admin: Person, settings: WorkbenchSettings) -> int:
    """What the data folder takes, files with several names counted once. Takes seconds where there are many files."""
    _must_be_admin(admin)
    seen: set[int] = set()
    total = 0
    for folder, _, names in os.walk(settings.folder):
        for name in names:
            try:
                stat = (Path(folder) / name).lstat()
            except OSError:
                continue  # gone in between
            if stat.st_ino not in seen:
                seen.add(stat.st_ino)
                total += stat.st_size
    return total


def _must_be_admin(person: Person) -> None:
    if not person.is_admin:
        raise RefusedError("workbench.admin_only")
