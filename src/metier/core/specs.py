"""The base of every step's parameters: one pydantic model per step is their only definition.

YAML, command line and web forms are made from it. Labels and help texts live in the package's `locale.yaml` as
`TrainSpec.learning_rate.label` and `TrainSpec.learning_rate.help`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from metier.core.errors import ConfigError
from metier.core.i18n import has_text, translate
from metier.core.registry import nearest

LONGEST_TEXT = 1_000_000


class Spec(BaseModel):
    """Immutable, checked where it is made, unknown keys refused, and texts that no file could keep: with half a
    character in them, or without end."""

    # A text whose length is bounded is also checked to be whole.
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=(), str_max_length=LONGEST_TEXT
    )


S = TypeVar("S", bound=BaseModel)


def parse_spec(kind: type[S], values: dict[str, Any], *, source: str) -> S:
    """Builds a spec; raises ConfigError for the first wrong key or value.

    source: where the values came from (a file, `command line`), named in the error.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            hint = nearest(str(first["loc"][-1]), _keys_at(kind, first["loc"][:-1]))
            raise ConfigError("core.unknown_key", source=source, key=key, hint=hint) from error
        given = repr(first.get("input"))
        raise ConfigError("core.bad_value", source=source, key=key, given=given[:80], problem=_why(first)) from error


@dataclass(frozen=True)
class WrongValue:
    """One key with a wrong value, or an unknown key. message: what is wrong with it, in the current language."""

    key: str
    message: str


def wrong_values(kind: type[BaseModel], values: Mapping[str, Any]) -> list[WrongValue]:
    """Everything that is wrong with the values of a spec, not only the first: what a form shows at its fields."""
    try:
        kind.model_validate(dict(values))
    except ValidationError as error:
        found: dict[str, WrongValue] = {}
        for one in error.errors(include_url=False):
            # An optional or repeated value says where inside of it: the form has one field for it.
            key = str(one["loc"][0]) if one["loc"] else str((one.get("ctx") or {}).get("key", ""))
            hint = nearest(key, list(kind.model_fields)) if one["type"] == "extra_forbidden" else ""
            found.setdefault(key, WrongValue(key, _why(one, hint=hint)))
        return list(found.values())
    return []


def _why(error: Any, **more: Any) -> str:
    """What is wrong with a value, as a sentence, in the current language where the catalogue knows this mistake."""
    key = f"core.wrong_{error['type']}"
    if not has_text(key):
        return f"{error['msg']}."
    context = error.get("ctx") or {}
    bounds = {name: f"{value:.12g}" if isinstance(value, float) else value for name, value in context.items()}
    return translate(key, **{**bounds, **more})


def _keys_at(kind: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Field names of the model found by following `path` from `kind`."""
    current: Any = kind
    for part in path:
        field = current.model_fields.get(part) if hasattr(current, "model_fields") else None
        if field is None:
            continue
        options = [field.annotation, *getattr(field.annotation, "__args__", ())]
        current = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), current)
    return list(current.model_fields)
