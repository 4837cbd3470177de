"""`metier specialist`: what people chat with, measure and serve, version by version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from metier.cli.app import write_json, write_line
from metier.cli.options import with_spec_flags
from metier.core.i18n import current_language, translate
from metier.core.settings import settings
from metier.core.specs import Spec, parse_spec
from metier.engines.sampling import Sampling
from metier.knowledge.library import LOCAL
from metier.specialists.spec import AnswerRules, Retrieval, ServerModel, Specialist
from metier.specialists.store import Specialists, StoredSpecialist, read_specialist, to_yaml
from metier.specialists.taught import origin_text
from metier.specialists.tools import TOOLS

Flag = Annotated[bool, Parameter(negative=())]
_PARTS: dict[str, type[Spec]] = {
    "": Specialist,
    "server": ServerModel,
    "retrieval": Retrieval,
    "sampling": Sampling,
    "rules": AnswerRules,
}


def store() -> Specialists:
    """The specialists of this machine's user."""
    return Specialists(settings().home / "specialists")


def list_(*, json: Flag = False) -> None:
    """Lists specialists: yours and those that come with the product."""
    found = store().list(LOCAL)
    if json:
        write_json([_view(one) for one in found])
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for key in ("name", "version", "model", "knowledge", "notes"):
        table.add_column(translate(f"cli.column_{key}"))
    for one in found:
        specialist = one.specialist
        model = specialist.server.address if specialist.server else specialist.model_name_or_path
        title = getattr(specialist.title, current_language()) or specialist.title.en or specialist.title.zh
        table.add_row(specialist.name, one.version, model, ", ".join(specialist.knowledge), title)
    Console(highlight=False).print(table)


def show_(name: str, /, *, version: str | None = None, versions: Flag = False, json: Flag = False) -> None:
    """Prints a specialist as YAML. versions: lists its versions instead."""
    if versions:
        for one in store().versions(LOCAL, name):
            moment = f"{one.created:%Y-%m-%d %H:%M} UTC" if one.created else ""
            write_line(f"{one.version:<18} {moment:<21} {origin_text(one)}")
        return
    stored = store().get(LOCAL, name, version)
    if json:
        write_json(_view(stored))
    else:
        write_line(f"# {stored.version}\n{to_yaml(stored.specialist).rstrip()}")


def _create(source: str, /, *, json: Flag = False, overrides: dict[str, Any]) -> None:
    """Makes a specialist: from a YAML file, or by its new name and flags."""
    path = Path(source)
    given = read_specialist(path) if path.suffix in (".yaml", ".yml") else Specialist.model_construct(name=source)
    _tell(store().create(LOCAL, _changed(given, overrides)), as_json=json)


def _edit(specialist: str, /, *, file: Path | None = None, json: Flag = False, overrides: dict[str, Any]) -> None:
    """Stores a new version, changed by flags or taken from a YAML file; earlier versions stay."""
    given = read_specialist(file) if file else store().get(LOCAL, specialist).specialist
    _tell(store().edit(LOCAL, _changed(given.model_copy(update={"name": specialist}), overrides)), as_json=json)


def remove_(name: str, /) -> None:
    """Forgets all versions of a specialist of yours."""
    store().remove(LOCAL, name)
    write_line(translate("cli.removed", name=name))


def tools_(*, json: Flag = False) -> None:
    """Lists the tools that a specialist may be given, with their arguments."""
    from metier.specialists.tools import describe

    specs = [describe(name, TOOLS.get(name)) for name in TOOLS]
    if json:
        write_json([{"name": one.name, "description": one.description, "parameters": one.parameters} for one in specs])
        return
    for one in specs:
        write_line(f"{one.name}({', '.join(one.parameters.get('properties', {}))})\n    {one.description}")


def _changed(specialist: Specialist, overrides: dict[str, Any]) -> Specialist:
    """A specialist with flags applied (`rules.cite` reaches into its part), checked as a whole."""
    values = specialist.model_dump(mode="json")
    for key, value in overrides.items():
        part, _, field = key.rpartition(".")
        if part:
            values[part] = {**(values.get(part) or {}), field: value}
        else:
            values[key] = value
    for tool in values.get("tools") or ():
        TOOLS.get(tool)
    return parse_spec(Specialist, values, source=translate("cli.command_line"))


def _tell(stored: StoredSpecialist, *, as_json: bool) -> None:
    if as_json:
        write_json(_view(stored))
    else:
        write_line(translate("cli.specialist_stored", name=stored.specialist.name, version=stored.version))


def _view(stored: StoredSpecialist) -> dict[str, Any]:
    created = stored.created.isoformat(timespec="seconds") if stored.created else None
    return {**stored.specialist.model_dump(mode="json"), "version": stored.version, "created": created}


create_ = with_spec_flags(_create, _PARTS)
edit_ = with_spec_flags(_edit, _PARTS)
