"""The model store: one folder a model, whole or absent, and links to folders that stay where they are.

<store>/smollm2-135m/          safetensors, config, tokenizer, source.json, manifest.json
<store>/my-model.json          {"folder": "/data/my-model"}: registered in place
<store>/.partial/<name>/       a download that goes on where it stopped

A model that comes with the package is always here, under its own name, and cannot be removed.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metier.core.errors import ModelError
from metier.core.files import MANIFEST, fsync_folder, read_json, write_json, write_manifest
from metier.core.settings import settings

SOURCE = "source.json"
SHIPPED = Path(__file__).parent / "shipped"
PACKAGES = "packages"  # a folder of the store for wheels placed by hand
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model that is here. source: `scheme:id@revision`, or the folder it was registered from; size_bytes: on disk."""

    name: str
    folder: Path
    source: str
    size_bytes: int
    linked: bool


def store_folder(name: str) -> Path:
    """Where the model called `name` is or would be kept. Raises ModelError for a name that could leave the store."""
    if not _NAME.fullmatch(name) or name.endswith(".json") or name == PACKAGES:
        raise ModelError("models.bad_name", name=name)
    return settings().models / name


def stored(name: str) -> StoredModel | None:
    """The model kept, linked or shipped as `name`, or None."""
    if not _NAME.fullmatch(name) or name == PACKAGES:
        return None
    folder = settings().models / name
    link = settings().models / f"{name}.json"
    if folder.is_dir():
        return StoredModel(name, folder, _source_of(folder), _size(folder), linked=False)
    if link.is_file():
        target = Path(read_json(link)["folder"])
        return StoredModel(name, target, str(target), _size(target), linked=True)
    shipped = SHIPPED / name
    if shipped.is_dir():
        return StoredModel(name, shipped, f"shipped:{name}", _size(shipped), linked=True)
    return None


def stored_models() -> list[StoredModel]:
    """All models in the store and those that are shipped, by name."""
    store = settings().models
    kept = list(store.iterdir()) if store.is_dir() else []
    names = {path.name.removesuffix(".json") for path in kept if not path.name.startswith(".")}
    names |= {path.name for path in SHIPPED.iterdir() if path.is_dir()}
    return [model for name in sorted(names) if (model := stored(name)) is not None]


def link_folder(name: str, folder: Path) -> None:
    """Registers `folder` as `name` without copying it."""
    store_folder(name)
    write_json(settings().models / f"{name}.json", {"folder": str(folder.resolve())})


def write_source(folder: Path, **fields: Any) -> None:
    """Records in `folder` where its model came from, before its manifest is made."""
    write_json(folder / SOURCE, {**fields, "fetched": datetime.now(UTC).isoformat(timespec="seconds")})


def partial_folder(name: str) -> Path:
    """The folder in which the download of `name` grows and is found again after an interruption."""
    folder = settings().models / ".partial" / store_folder(name).name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def finish_partial(name: str) -> Path:
    """Gives a complete download its manifest and its name in the store."""
    partial, target = partial_folder(name), store_folder(name)
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    write_manifest(partial)
    for path in [*sorted(partial.rglob("*")), partial]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    partial.rename(target)
    fsync_folder(target.parent)
    return target


def delete_stored(name: str) -> None:
    """Removes a kept model, or only the link to one registered in place; and a half-done download of it.

    Raises ModelError for one that comes with the package.
    """
    known = stored(name)
    if known is not None and known.folder.parent == SHIPPED:
        raise ModelError("models.shipped_stays", name=name)
    store = settings().models
    shutil.rmtree(store / ".partial" / name, ignore_errors=True)
    link = store / f"{name}.json"
    if link.is_file():
        link.unlink()
    folder = store / name
    if folder.is_dir():
        # Renamed first: a kill while deleting leaves no half model under the name.
        gone = store / f".{name}.gone"
        shutil.rmtree(gone, ignore_errors=True)
        folder.rename(gone)
        shutil.rmtree(gone)


def sweep(name: str) -> None:
    """Removes what a killed fetch of `name` left behind; a download that can go on stays. Called under its lock."""
    store = settings().models
    for left in [*store.glob(f".{name}.*.tmp"), *store.glob(f".package-{name}.*"), *store.glob(f".{name}.gone")]:
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def store_lock(name: str) -> Iterator[None]:
    """Waits for its turn to make `name`: of several processes that want a model, one makes it and the rest find it."""
    folder = settings().models / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / store_folder(name).name).open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _source_of(folder: Path) -> str:
    try:
        source = read_json(folder / SOURCE)
    except (OSError, ValueError):
        return str(folder)  # placed by hand
    revision = f"@{source['revision']}" if source.get("revision") else ""
    return f"{source['source']}{revision}"


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
