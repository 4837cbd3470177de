"""Rows of sets: as their file has them, and as a model will see them."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier import __version__
from metier.core.errors import DataError
from metier.data.entries import Entry, shipped_entries
from metier.data.picturefiles import PICTURES
from metier.workbench.accounts import Person
from metier.workbench.apart import Apart, ask
from metier.workbench.datasets import Datasets
from metier.workbench.errors import NotFoundError
from metier.workbench.reading import INDEX, problem_text, read_rows
from metier.workbench.rowpictures import WIDEST, picture_file, pictures_of
from metier.workbench.store.tables import Dataset

PAGE = 20
_PREVIEW_SECONDS = 60.0


@dataclass(frozen=True)
class Row:
    """One record. raw: its cells as text; messages: the conversation, empty where it is left out; problem: why."""

    number: int
    raw: dict[str, str]
    messages: list[dict[str, Any]]
    problem: str

    @property
    def pictures(self) -> list[dict[str, Any]]:
        """Its pictures in order: `image` (the sha256 of its bytes), `width`, `height`, `size`."""
        return pictures_of(self.messages)


@dataclass(frozen=True)
class RowPage:
    """Some rows in order; last: the number of the last row that can be shown."""

    rows: list[Row]
    last: int


class Rows:
    """find_model: the folder of a model's tokenizer, for who asks; cache: where shipped sets' rows are kept."""

    def __init__(self, datasets: Datasets, cache: Path, *, find_model: Callable[[Person, str], Path]) -> None:
        self.datasets = datasets
        self.cache = cache
        self._find_model = find_model
        self._apart = Apart(keep=True)
        self._painter = Apart(keep=True)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Ends the children that hold tokenizers and paint pictures."""
        self._apart.close()
        self._painter.close()

    def page(self, owner: Person, name: str, *, first: int = 1, count: int = PAGE) -> RowPage:
        """Rows of an owner's or a shipped set, from row `first` on."""
        rows, last = read_rows(self._folder(owner, name), first, max(1, min(count, 200)))
        return RowPage([_row(one) for one in rows], last)

    def row(self, owner: Person, name: str, number: int) -> Row:
        """One row. Raises NotFoundError."""
        page = self.page(owner, name, first=number, count=1)
        if number < 1 or not page.rows:
            raise NotFoundError("workbench.no_row", name=name, row=number, last=page.last)
        return page.rows[0]

    def preview(
        self, owner: Person, name: str, number: int, *, model: str, cutoff_len: int, train_on_history: bool = False
    ) -> list[dict[str, Any]]:
        """One row as a model will see it, one entry an example; see `metier.prepare.preview.preview_rows`.

        Raises DataError for a row that is left out or cut to nothing, ConflictError for a model that is not here.
        """
        row = self.row(owner, name, number)
        folder = self._find_model(owner, model)
        if not row.messages:
            raise DataError("workbench.row_left_out", row=number)
        entries: list[dict[str, Any]] = self._apart.ask(
            "preview",
            seconds=_PREVIEW_SECONDS,
            folder=folder,
            row=number,
            messages=row.messages,
            cutoff_len=cutoff_len,
            train_on_history=train_on_history,
            pictures=self._place(owner, name)[0] / PICTURES,
        )
        return entries

    def picture(self, owner: Person, name: str, number: int, place: int, *, width: int = WIDEST) -> tuple[bytes, str]:
        """Picture `place` (from 1) of a row as it is seen, made anew: its bytes, and `png` or `jpeg`.

        Raises NotFoundError; DataError for a picture that turns out to be broken.
        """
        pictures = self.row(owner, name, number).pictures
        if not 1 <= place <= len(pictures):
            raise NotFoundError("workbench.not_found")
        try:
            file = picture_file(self._place(owner, name)[0] / PICTURES, pictures[place - 1]["image"])
        except FileNotFoundError:
            raise NotFoundError("workbench.not_found") from None
        painted = self._painter.ask("paint", seconds=_PREVIEW_SECONDS, file=file, width=width)
        return base64.b64decode(painted["content"]), painted["kind"]

    def is_ready(self, owner: Person, name: str) -> bool:
        """Whether a set's rows are at hand; else the first to ask for them waits a moment."""
        return (self._place(owner, name)[0] / INDEX).is_file()

    def _folder(self, owner: Person, name: str) -> Path:
        """Where a set's rows are kept; they are read once where they are not yet."""
        folder, of = self._place(owner, name)
        if not (folder / INDEX).is_file():
            with self._lock:
                if not (folder / INDEX).is_file():
                    _read(of, self.datasets, folder)
        return folder

    def _place(self, owner: Person, name: str) -> tuple[Path, Entry | Dataset]:
        shipped = shipped_entries().get(name)
        if shipped is not None:
            return self.cache / f"{name}-{__version__}", shipped
        row = self.datasets.get(owner, name)
        return self.datasets.folder / row.id, row


def _read(of: Entry | Dataset, datasets: Datasets, folder: Path) -> None:
    """Keeps the rows of a set in `folder`, as the set was registered."""
    if isinstance(of, Entry):
        file, shown_as, columns, format, pictures = of.path, of.name, None, of.format, of.pictures or ""
    else:
        file, shown_as, columns = datasets.file_of(of), of.file_name, of.details["entry"].get("columns") or None
        format = None if columns else of.details["format"]
        pictures = datasets.pictures_of(of)
    ask(
        "read", file=file, shown_as=shown_as, columns=columns, format=format, skip_bad_rows=True, folder=folder,
        pictures=pictures,
    )  # fmt: skip


def _row(said: dict[str, Any]) -> Row:
    return Row(said["row"], said["raw"], said.get("messages") or [], problem_text(said.get("problem")))
