"""The user's own sets: listed, added and removed by name. Files stay where the user has them."""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.core.errors import DataError
from metier.core.files import write_json
from metier.core.i18n import Language, current_language, translate
from metier.core.registry import nearest
from metier.data.bundles import BUNDLE, bundles_folder, kept_bundle, told_by_archive
from metier.data.dataset import Dataset, load_dataset
from metier.data.entries import Entry, Origin, Status, all_entries, read_registry_values, shipped_entries, user_registry

_NAME = re.compile(r"[^\W][\w.\-]{0,63}")


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """One line of the list of sets. origin: `shipped`, `user` or `folder`; detail: why it is not ready, in words."""

    name: str
    origin: Origin
    status: Status
    path: Path | None
    format: str | None
    title: Mapping[Language, str]
    description: Mapping[Language, str]
    split: str | None
    license: str | None
    entry: Entry

    def detail(self, language: Language | None = None) -> str:
        """Why the set cannot be loaded and what to do, else its title."""
        if self.entry.obstacle is not None:
            return self.entry.obstacle.text(language)
        return self.title.get(language or current_language(), "")

    def status_text(self, language: Language | None = None) -> str:
        """The status as one or two words."""
        return translate(f"data.status_{self.status}", language=language)


def list_datasets(dataset_dir: Path | None = None) -> list[DatasetInfo]:
    """All named sets with their status. No set is opened."""
    return [
        DatasetInfo(
            name=entry.name,
            origin=entry.origin,
            status=entry.status,
            path=entry.path,
            format=entry.format,
            title=entry.title,
            description=entry.description,
            split=entry.split,
            license=entry.license,
            entry=entry,
        )
        for entry in all_entries(dataset_dir).values()
    ]


def register_dataset(
    name: str,
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    format: str | None = None,
    replace: bool = False,
    table: str = "",
) -> Dataset:
    """Loads a file to see that it is good, then gives it a name in the user's registry (LLaMA-Factory's format).

    Of a zip, table and pictures are kept among the user's datasets until the name is removed; table: which of several.
    Raises DataError for a bad or taken name (`replace` allows a taken one of the user's own) or for a file that is
    not good; then nothing is changed.
    """
    if not _NAME.fullmatch(name):
        raise DataError("data.bad_name", name=name)
    if name in shipped_entries():
        raise DataError("data.name_shipped", name=name)
    path = path.expanduser().absolute()
    entry: dict[str, Any] = {"file_name": str(path)}
    bundle = kept_bundle(path, table) if path.suffix.lower() == BUNDLE and path.is_file() else None
    if bundle is not None:
        entry = {"file_name": str(bundle.table), "pictures": str(bundle.names)}
    try:
        with told_by_archive(bundle, path) if bundle is not None else nullcontext():
            loaded = load_dataset(
                entry["file_name"], columns=columns, format=format, pictures=bundle.names if bundle else None
            )
    except DataError:
        _let_go(entry, read_registry_values(user_registry()))
        raise
    entry["formatting"] = loaded.format
    if columns or loaded.format in ("sharegpt", "openai"):  # LLaMA-Factory wants them named
        entry["columns"] = dict(loaded.columns)
    with _registry() as entries:
        if name in entries and not replace:
            raise DataError("data.name_taken", name=name)
        before, entries[name] = entries.get(name, {}), entry
        _let_go(before, entries)
    return loaded


def remove_dataset(name: str) -> None:
    """Takes a name out of the user's registry; the file stays. Raises DataError for a shipped or an unknown set."""
    with _registry() as entries:
        if name not in entries:
            if name in shipped_entries():
                raise DataError("data.cannot_remove_shipped", name=name)
            raise DataError("data.not_registered", name=name, hint=nearest(name, list(entries)))
        _let_go(entries.pop(name), entries)


def _let_go(gone: Mapping[str, Any], entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Removes what was unpacked for an entry, unless another one is of the same archive."""
    folder = Path(gone.get("pictures") or "").parent
    if folder.parent == bundles_folder() and not any(
        one.get("pictures") == gone["pictures"] for one in entries.values()
    ):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _registry() -> Iterator[dict[str, dict[str, Any]]]:
    """The user's registry to change, held against other processes; written whole at the end, not after an error."""
    path = user_registry()
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        entries = read_registry_values(path)
        before = dict(entries)
        yield entries
        if entries != before:
            write_json(path, entries)
