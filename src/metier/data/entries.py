"""Where named sets come from: a folder's `dataset_info.json` (LLaMA-Factory's), the user's, and those that are
shipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from metier.core.errors import DataError
from metier.core.i18n import Language
from metier.core.settings import settings
from metier.core.yamltext import parse_yaml
from metier.data.containers import PLAIN_TEXT_SUFFIXES, file_type
from metier.data.formats import tags_of
from metier.data.layout import Tags
from metier.data.rows import Note
from metier.data.strictjson import JsonError, parse
from metier.data.textfile import read_text_file

DATASET_INFO = "dataset_info.json"
SAMPLES = Path(__file__).parent / "samples"
Origin = Literal["folder", "user", "shipped"]
Status = Literal["ready", "missing", "hub", "unsupported"]
_HUBS = {"hf_hub_url": "Hugging Face", "ms_hub_url": "ModelScope", "om_hub_url": "OpenMind"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A named set.

    path: its file, None if none is named; status: `ready`, or why it cannot be loaded (`obstacle` says it in words);
    limit: only so many rows (`num_samples`); pictures: the `pictures.json` of a set with pictures of its own; title,
    description: of shipped sets, by language.
    """

    name: str
    origin: Origin
    status: Status
    path: Path | None = None
    folder: Path = field(default_factory=Path)
    format: str | None = None
    columns: Mapping[str, str] | None = None
    tags: Tags | None = None
    limit: int | None = None
    pictures: Path | None = None
    obstacle: Note | None = None
    title: Mapping[Language, str] = field(default_factory=dict)
    description: Mapping[Language, str] = field(default_factory=dict)
    split: str | None = None
    license: str | None = None

    def refuse(self) -> None:
        """Raises DataError if the set cannot be loaded."""
        if self.obstacle is not None:
            raise DataError(self.obstacle.key, **self.obstacle.fields)


def user_registry() -> Path:
    """The user's `dataset_info.json`."""
    return settings().datasets / DATASET_INFO


def all_entries(dataset_dir: Path | None = None) -> dict[str, Entry]:
    """Every named set; a folder's names win over the user's, the user's over shipped ones."""
    entries = shipped_entries()
    entries.update(read_registry(user_registry(), "user"))
    if dataset_dir is not None:
        entries.update(read_registry(dataset_dir / DATASET_INFO, "folder"))
    return entries


def shipped_entries() -> dict[str, Entry]:
    """The sets that come with the package, from `samples/index.yaml`."""
    return {name: _shipped(name, values) for name, values in _index(SAMPLES / "index.yaml").items()}


@cache
def _index(index: Path) -> dict[str, dict[str, Any]]:
    """The list of shipped sets, which does not change while the program runs."""
    return parse_yaml(index.read_text(encoding="utf-8")) or {} if index.is_file() else {}


def _shipped(name: str, values: dict[str, Any]) -> Entry:
    path = SAMPLES / values["file"]
    missing = None if path.is_file() else Note("data.sample_missing", {"name": name, "file": path})
    return Entry(
        name,
        "shipped",
        "missing" if missing else "ready",
        path=path,
        folder=SAMPLES,
        format="openai",
        obstacle=missing,
        title=values.get("title", {}),
        description=values.get("description") or values.get("note", {}),
        split=values.get("split"),
        license=values.get("license"),
    )


def read_registry(path: Path, origin: Origin) -> dict[str, Entry]:
    """The entries of a `dataset_info.json`; an absent file has none. Raises DataError with the place that is wrong."""
    return {name: _entry(path, name, values, origin) for name, values in read_registry_values(path).items()}


def read_registry_values(path: Path) -> dict[str, dict[str, Any]]:
    """The raw entries of a `dataset_info.json`."""
    if not path.is_file():
        return {}
    text = read_text_file(path).text
    try:
        values = parse(text)
    except JsonError as problem:
        line = text.count("\n", 0, problem.position or 0) + 1
        detail = problem.fields.get("problem") or problem.fields.get("field") or problem.name
        raise DataError("data.bad_registry", place=f"{path}:{line}", problem=detail) from problem
    if not isinstance(values, dict):
        raise DataError("data.bad_registry", place=path, problem=type(values).__name__)
    for name, entry in values.items():
        if not isinstance(entry, dict):
            raise DataError("data.bad_entry", file=path, name=name, field="–")
    return values


def _entry(path: Path, name: str, values: dict[str, Any], origin: Origin) -> Entry:
    columns, tags = values.get("columns") or {}, values.get("tags") or {}
    formatting, limit = values.get("formatting", "alpaca"), values.get("num_samples")
    file_name, pictures = values.get("file_name"), values.get("pictures")
    checks = {
        "file_name": file_name is None or isinstance(file_name, str),
        "formatting": isinstance(formatting, str),
        "columns": isinstance(columns, dict) and all(isinstance(column, str) for column in columns.values()),
        "tags": isinstance(tags, dict) and all(isinstance(tag, str) for tag in tags.values()),
        "pictures": pictures is None or isinstance(pictures, str),
        "num_samples": limit is None or (isinstance(limit, int) and not isinstance(limit, bool) and limit > 0),
    }
    for key, good in checks.items():
        if not good:
            raise DataError("data.bad_entry", file=path, name=name, field=key)
    file = path.parent / file_name if file_name else None
    plain = columns.keys() == {"prompt"} or (file is not None and file_type(file) in PLAIN_TEXT_SUFFIXES)
    if plain and formatting == "alpaca":
        formatting, columns = "text", {"text": columns["prompt"]} if "prompt" in columns else {}
    status, obstacle = _obstacle(name, values, file, formatting)
    return Entry(
        name,
        origin,
        status,
        path=file,
        folder=file.parent if file is not None and Path(str(file_name)).is_absolute() else path.parent,
        format=formatting,
        columns=columns or None,
        tags=tags_of(tags, formatting) if tags else None,
        limit=limit,
        pictures=path.parent / pictures if pictures else None,
        obstacle=obstacle,
    )


def _obstacle(name: str, values: dict[str, Any], file: Path | None, formatting: str) -> tuple[Status, Note | None]:
    kind = _untrainable_kind(values)
    if kind is not None:
        return "unsupported", Note("data.untrainable", {"name": name, "kind": kind})
    if file is not None:
        if not file.exists():
            return "missing", Note("data.registered_file_missing", {"name": name, "file": file})
        if formatting == "text":
            return "unsupported", Note("data.text_not_trainable", {"name": name})
        return "ready", None
    hubs = [f"{hub}: {values[key]}" for key, hub in _HUBS.items() if values.get(key)]
    if hubs:
        return "hub", Note("data.hub_only", {"name": name, "hubs": ", ".join(hubs)})
    if values.get("script_url"):
        return "unsupported", Note("data.script_refused", {"name": name, "script": values["script_url"]})
    if values.get("cloud_file_name"):
        return "hub", Note("data.hub_only", {"name": name, "hubs": values["cloud_file_name"]})
    return "missing", Note("data.no_file_named", {"name": name})


def _untrainable_kind(values: dict[str, Any]) -> str | None:
    columns = values.get("columns") or {}
    if values.get("ranking") or "chosen" in columns:
        return "DPO (chosen / rejected)"
    if "kto_tag" in columns:
        return "KTO (true / false)"
    media = [name for name in ("videos", "audios") if name in columns]
    return " + ".join(media) if media else None
