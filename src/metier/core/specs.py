"""The base of every step's parameters: one pydantic model per step is their only definition.

YAML, command line and web forms are made from it. Labels and help texts live in the package's `locale.yaml` as
`TrainSpec.learning_rate.label` and `TrainSpec.learning_rate.help`.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from metier.core.errors import ConfigError
from metier.core.registry import nearest


class Spec(BaseModel):
    """Immutable, checked where it is made, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())


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
            known = _keys_at(kind, first["loc"][:-1])
            hint = nearest(str(first["loc"][-1]), known)
            raise ConfigError("core.unknown_key", source=source, key=key, hint=hint) from error
        given = repr(first.get("input"))
        raise ConfigError("core.bad_value", source=source, key=key, given=given[:80], problem=first["msg"]) from error


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
