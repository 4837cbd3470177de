"""Fields of a form made from a spec: label and help from its catalogue, bounds and default from the spec itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from metier.core.i18n import translate
from metier.core.specs import Spec


@dataclass(frozen=True)
class Field:
    """One field. kind: `number`, `integer`, `choice`, `switch`, `maybe` (yes, no, by default), `lines` or `text`;
    least, most: its bounds; above, below: bounds that are not reached themselves."""

    name: str
    label: str
    help: str
    kind: str
    value: Any
    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()


def fields_of(spec: type[Spec], package: str, section: str, names: tuple[str, ...]) -> list[Field]:
    """The named fields of a spec. section: what stands before the key in the work (`predict.temperature`)."""
    properties = spec.model_json_schema()["properties"]
    return [_field(spec, properties[name], package, section, name) for name in names]


def _field(spec: type[Spec], schema: dict[str, Any], package: str, section: str, name: str) -> Field:
    parts = [schema, *(one for one in schema.get("anyOf", ()) if one.get("type") != "null")]
    merged: dict[str, Any] = {}
    for part in parts:
        merged |= part
    optional = any(one.get("type") == "null" for one in schema.get("anyOf", ()))
    value = spec.model_fields[name].get_default(call_default_factory=True)
    kinds = {"number": "number", "integer": "integer", "boolean": "maybe" if optional else "switch", "array": "lines"}
    return Field(
        name=f"{section}.{name}",
        label=translate(f"{package}.{spec.__name__}.{name}.label"),
        help=translate(f"{package}.{spec.__name__}.{name}.help"),
        kind="choice" if "enum" in merged else kinds.get(str(merged.get("type")), "text"),
        value=list(value) if isinstance(value, tuple) else value,
        least=merged.get("minimum"),
        above=merged.get("exclusiveMinimum"),
        most=merged.get("maximum"),
        below=merged.get("exclusiveMaximum"),
        choices=tuple(merged.get("enum", ())),
    )
