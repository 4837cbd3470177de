"""Files that came in for a knowledge base, from the last byte of the upload to what became of them.

<base>/incoming/<id>/
  said.json       name, size, when it came, how often its reading was begun; written last: without it there is nothing
  file.part       while it comes
  file            until it is read
  progress.json   the page that is being read
  outcome.json    what became of it, until somebody has seen it

All of it is on the disk, so that an import outlives the death of whoever does it.
"""

from __future__ import annotations

import json
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from metier.core.files import read_json, write_json
from metier.core.i18n import has_text, translate
from metier.workbench.store.tables import new_id

SAID, FILE, PROGRESS, OUTCOME = "said.json", "file", "progress.json", "outcome.json"
MOST_ATTEMPTS = 3
KEPT_OUTCOMES = 200  # of a base; older ones are forgotten

State = Literal["waiting", "reading", "done", "failed"]


@dataclass(frozen=True)
class Arrival:
    """A file on its way into a base.

    file_name: as its sender called it, for showing; came: ISO time, UTC; page, pages: where the reading is, 0 before
    it is known; seconds_left: an estimate; stage: `reading` or `indexing`; outcome: as
    `metier.knowledge.entries.Outcome.to_json` gives it, with the key and fields of a failure.
    """

    id: str
    folder: Path
    file_name: str
    size: int
    came: str
    attempts: int
    page: int = 0
    pages: int = 0
    seconds_left: float | None = None
    stage: str = ""
    outcome: dict[str, Any] | None = None

    @property
    def state(self) -> State:
        """Where it is."""
        if self.outcome is not None:
            return "failed" if self.outcome["state"] == "failed" else "done"
        return "reading" if (self.folder / PROGRESS).exists() else "waiting"

    @property
    def reason(self) -> str:
        """Why it failed, in the current language; a word of an earlier version that is no more is shown as it was."""
        said = self.outcome or {}
        key = str(said.get("key", ""))
        return translate(key, **said["fields"]) if key and has_text(key) else str(said.get("reason", key))

    @property
    def file(self) -> Path:
        """Its bytes, until they are read."""
        return self.folder / FILE


def arrivals(base: Path) -> list[Arrival]:
    """Everything that came into a base's folder and was not cleared away, the oldest first."""
    found = []
    for path in (base / "incoming").glob(f"*/{SAID}"):
        with suppress(OSError, ValueError, KeyError):  # gone or torn just now
            found.append(_read(path.parent))
    return sorted(found, key=lambda one: (one.came, one.id))


def arrival(base: Path, arrival_id: str) -> Arrival | None:
    """One of them, None where there is none."""
    if not arrival_id.isalnum() or not arrival_id.isascii():
        return None
    with suppress(OSError, ValueError, KeyError):
        return _read(base / "incoming" / arrival_id)
    return None


def new_folder(base: Path) -> Path:
    """Where a new file may come in."""
    folder = base / "incoming" / new_id()
    folder.mkdir(parents=True)
    return folder


def accept(folder: Path, file_name: str, size: int) -> Arrival:
    """A file is there whole: from now on it will be imported, whatever happens."""
    (folder / f"{FILE}.part").replace(folder / FILE)
    came = datetime.now(UTC).isoformat(timespec="microseconds")
    write_json(folder / SAID, {"file_name": file_name, "size": size, "came": came, "attempts": 0})
    return _read(folder)


def count_attempt(one: Arrival) -> None:
    """The reading of a file begins; should it end the process, that is known afterwards."""
    write_json(one.folder / SAID, {**read_json(one.folder / SAID), "attempts": one.attempts + 1})


def take_back(one: Arrival) -> None:
    """The reading was broken off from outside: the file waits again, and the attempt does not count."""
    write_json(one.folder / SAID, {**read_json(one.folder / SAID), "attempts": one.attempts})
    (one.folder / PROGRESS).unlink(missing_ok=True)


class Progress:
    """Writes where the reading of a file is, a few times a second at most."""

    def __init__(self, one: Arrival) -> None:
        self._path = one.folder / PROGRESS
        self._begun = time.monotonic()
        self._written = 0.0
        self.at(0, 0)

    def at(self, page: int, pages: int) -> None:
        """A page was read. pages: in all, 0 where that is not known."""
        now = time.monotonic()
        if now - self._written < 0.25 and page < pages:
            return
        self._written = now
        left = (now - self._begun) / page * (pages - page) if page and pages else None
        self._write(stage="reading", page=page, pages=pages, seconds_left=left)

    def indexing(self) -> None:
        """All pages are read; passages are made and put into the index."""
        self._write(stage="indexing")

    def _write(self, **told: Any) -> None:
        aside = self._path.with_suffix(".tmp")
        aside.write_text(json.dumps(told), encoding="utf-8")
        aside.replace(self._path)


def end(one: Arrival, outcome: dict[str, Any]) -> None:
    """Writes down what became of a file, and lets its bytes go."""
    write_json(one.folder / OUTCOME, outcome)
    one.file.unlink(missing_ok=True)
    (one.folder / PROGRESS).unlink(missing_ok=True)


def dismiss(one: Arrival) -> None:
    """Forgets an arrival, and its bytes."""
    gone = one.folder.with_name(f".{one.id}.gone")
    with suppress(FileNotFoundError):
        one.folder.rename(gone)  # at once, so that nobody begins with half of it
    shutil.rmtree(gone, ignore_errors=True)


def clear_away(base: Path) -> None:
    """Removes what a kill left: uploads that never became whole, progress of readers that are no more, old outcomes."""
    incoming = base / "incoming"
    for folder in incoming.iterdir() if incoming.is_dir() else ():
        if folder.name.startswith(".") or not (folder / SAID).is_file():
            shutil.rmtree(folder, ignore_errors=True)
    there = arrivals(base)
    for one in there:
        (one.folder / PROGRESS).unlink(missing_ok=True)
    ended = [one for one in there if one.outcome is not None]
    for one in ended[:-KEPT_OUTCOMES]:
        dismiss(one)


def _read(folder: Path) -> Arrival:
    said = read_json(folder / SAID)
    outcome = None
    progress: dict[str, Any] = {}
    with suppress(FileNotFoundError):
        outcome = read_json(folder / OUTCOME)
    if outcome is None:
        with suppress(FileNotFoundError):
            progress = read_json(folder / PROGRESS)
    return Arrival(folder.name, folder, **said, **progress, outcome=outcome)
