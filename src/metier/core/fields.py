"""A spec's fields as a form needs them: kind, choices, bounds and default, made from the spec alone."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Kind = Literal["switch", "choice", "whole", "number", "names", "pairs", "text"]


@dataclass(frozen=True)
class Field:
    """One field of a spec.

    kind: `whole` is an integer, `names` a list, `pairs` a mapping; optional: None is a value; text: where its label and
    help are found (`train.TrainSpec.seed`); minimum, maximum: bounds, with `above` and `below` not included.
    """

    name: str
    kind: Kind
    default: Any
    required: bool
    optional: bool
    text: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    above: bool = False
    below: bool = False


def fields_of(spec: type[BaseModel]) -> dict[str, Field]:
    """All fields of a spec, in its order."""
    return {name: _field(spec, name, info) for name, info in spec.model_fields.items()}


def _field(spec: type[BaseModel], name: str, info: FieldInfo) -> Field:
    parts = list(_parts(info.annotation))
    bounds = _bounds([*info.metadata, *(mark for _, marks in parts for mark in marks)])
    kinds = [kind for kind, _ in parts if kind is not type(None)]
    choices = tuple(str(choice) for kind in kinds for choice in _choices(kind))
    return Field(
        name=name,
        kind=_kind(kinds),
        default=None if info.is_required() else info.get_default(call_default_factory=True),
        required=info.is_required(),
        optional=any(kind is type(None) for kind, _ in parts),
        # A field that a spec inherits is described where the spec is, under the spec's own name.
        text=f"{spec.__module__.split('.')[1]}.{spec.__name__}.{name}",
        choices=choices,
        **bounds,
    )


def _parts(annotation: Any, marks: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The alternatives of an annotation, each with what `Annotated` says of it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *found = get_args(annotation)
        yield from _parts(inner, (*marks, *found))
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _parts(part, marks)
    else:
        yield annotation, marks


def _kind(kinds: list[Any]) -> Kind:
    kind = kinds[0]
    origin = get_origin(kind)
    if origin is Literal:
        return "choice"
    if origin in (list, tuple):
        return "names"
    if origin is dict:
        return "pairs"
    if kind is bool:
        return "switch"
    if kind is int:
        return "whole"
    return "number" if kind is float else "text"


def _choices(kind: Any) -> tuple[Any, ...]:
    """The values of a Literal, also of one in a list."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    if get_origin(kind) in (list, tuple):
        return tuple(choice for part in get_args(kind) if part is not Ellipsis for choice in _choices(part))
    return ()


def _bounds(marks: list[Any]) -> dict[str, Any]:
    """Bounds from `annotated_types` marks, which pydantic keeps in `FieldInfo.metadata`."""
    found: dict[str, Any] = {}
    for mark in marks:
        for each in (mark, *getattr(mark, "metadata", ())):
            for sign, bound, excluded in (("gt", "minimum", "above"), ("lt", "maximum", "below")):
                if getattr(each, sign, None) is not None:
                    found |= {bound: getattr(each, sign), excluded: True}
            for sign, bound in (("ge", "minimum"), ("le", "maximum")):
                if getattr(each, sign, None) is not None:
                    found[bound] = getattr(each, sign)
    return found


def plain(value: Any) -> Any:
    """A default as a form's script takes it."""
    return str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value
