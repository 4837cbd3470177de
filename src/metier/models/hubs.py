"""Models from Hugging Face (`hf:`) and ModelScope (`ms:`): weights, configuration, tokenizer; whole and pinned."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import Any

from metier.core.errors import ModelError
from metier.core.events import EventLog
from metier.core.i18n import translate
from metier.models.catalogue import find
from metier.models.checks import PICKLES, check_model_folder
from metier.models.sources import cannot_fetch
from metier.models.store import finish_partial, partial_folder, write_source
from metier.models.watching import watched

WANTED = ["*.safetensors", "*.json", "*.jinja", "tokenizer.model", "merges.txt", "vocab.txt", "LICENSE*", "USE_POLICY*"]
# Weights in sub-folders and `consolidated.*` are the same ones once more, in the publisher's own layout.
UNWANTED = ["*/*", "consolidated*"]


def fetch_huggingface(name: str, identity: str, *, revision: str | None, events: EventLog) -> Path:
    """Downloads `identity` at `revision` (else the newest, whose commit is recorded) into the store as `name`.

    A download that was cut off goes on where it stopped. Raises ModelError: not reachable, not found, gated, no
    safetensors, not enough room.
    """
    from huggingface_hub import HfApi, constants, errors, snapshot_download

    source = f"hf:{identity}"
    endpoint = os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
    try:
        information = HfApi(endpoint=endpoint).model_info(identity, revision=revision, files_metadata=True)
        size = _check_listing(source, information.siblings or [])
        partial = partial_folder(name)
        _check_room(partial, size)
        events.emit("log", message=translate("models.downloading", name=name, source=source), bytes=size)
        with watched(partial, size, events):
            snapshot_download(
                identity,
                revision=information.sha,
                local_dir=partial,
                allow_patterns=WANTED,
                ignore_patterns=UNWANTED,
                endpoint=endpoint,
            )
    except errors.GatedRepoError as error:
        raise ModelError("models.gated", source=source, url=f"{endpoint}/{identity}") from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.HFValidationError) as error:
        raise ModelError("models.not_on_hub", source=source, revision=revision or "main") from error
    except (_http_error(), errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, OSError) as error:
        raise cannot_fetch(name, source, _reason(error)) from error
    return _finish(name, source=source, revision=information.sha)


def fetch_modelscope(name: str, identity: str, *, revision: str | None, events: EventLog) -> Path:
    """Downloads `identity` with the `modelscope` package, which is optional, into the store as `name`."""
    source = f"ms:{identity}"
    if importlib.util.find_spec("modelscope") is None:
        raise ModelError("models.no_modelscope", source=source)
    from modelscope import snapshot_download

    partial = partial_folder(name)
    entry = find(source)
    size = entry.size_bytes if entry else None
    events.emit("log", message=translate("models.downloading", name=name, source=source))
    try:
        with watched(partial, size, events):
            snapshot_download(
                identity,
                revision=revision,
                local_dir=str(partial),
                allow_patterns=WANTED,
                ignore_patterns=UNWANTED,
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise cannot_fetch(name, source, _reason(error)) from error
    return _finish(name, source=source, revision=revision or "master")


def _http_error() -> type[Exception]:
    """The error that all failures of huggingface_hub's HTTP client are; which client it is differs between versions."""
    from huggingface_hub import errors

    return next(kind for kind in errors.HfHubHTTPError.__mro__ if kind.__module__.startswith("http"))


def _check_listing(source: str, siblings: list[Any]) -> int:
    """Bytes that will be downloaded. Raises ModelError, before any of it, if there are no safetensors."""
    wanted = [item for item in siblings if item.rfilename.endswith(".safetensors") and _is_wanted(item.rfilename)]
    if not wanted:
        pickles = [item.rfilename for item in siblings if item.rfilename.endswith(PICKLES)]
        if pickles:
            raise ModelError("models.pickle", file=f"{source}/{pickles[0]}")
        raise ModelError("models.no_weights", folder=source)
    return sum(item.size or 0 for item in wanted)


def _is_wanted(name: str) -> bool:
    return "/" not in name and not name.startswith("consolidated")


def _check_room(folder: Path, size: int) -> None:
    here = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    free = shutil.disk_usage(folder).free
    if free < size - here:
        raise ModelError("models.no_room", folder=folder, needed=_gigabytes(size - here), free=_gigabytes(free))


def _finish(name: str, **source: Any) -> Path:
    partial = partial_folder(name)
    try:
        check_model_folder(partial)
    except ModelError as error:
        # The next attempt fetches the broken file anew and keeps the others.
        broken = Path(str(error.fields.get("file", "")))
        if broken.parent == partial:
            broken.unlink(missing_ok=True)
        raise
    write_source(partial, **source)
    return finish_partial(name)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
