"""The copies of sets in a job's folder, and the note that they go when the job ends."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from metier.core.files import append_jsonl, read_jsonl
from metier.workbench import layout

MARK = "forget.jsonl"


def copies(folder: Path, dataset_id: str) -> list[Path]:
    """A job's copies of a set: its file, its pictures' folder and their names."""
    return list((folder / layout.DATA).glob(f"{dataset_id}.*"))


def forget_later(folder: Path, dataset_id: str, *, check: bool) -> None:
    """Notes that a job's copy of a set goes when it ends; check: and what it found out about the set."""
    append_jsonl(folder / MARK, [{"dataset": dataset_id, "check": check}])


def forget_marked(folder: Path) -> None:
    """Removes what an ended job still had of sets that are gone."""
    for note in _notes(folder):
        for path in copies(folder, str(note["dataset"])):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if note.get("check"):
            shutil.rmtree(folder / layout.RUN, ignore_errors=True)
    with suppress(OSError):
        (folder / MARK).unlink(missing_ok=True)


def _notes(folder: Path) -> list[dict[str, Any]]:
    try:
        return read_jsonl(folder / MARK)
    except (OSError, ValueError):
        return []
