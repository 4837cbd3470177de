"""Flags made from specs: names, helps, defaults and choices come from spec and catalogue, nothing is typed twice."""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from cyclopts import Group, Parameter
from pydantic.fields import FieldInfo

from metier.core.errors import ConfigError
from metier.core.i18n import has_text, translate
from metier.core.specs import Spec

_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


def with_spec_flags(
    command: Callable[..., Any], specs: Mapping[str, type[Spec]], plain: Callable[[str, str], bool] | None = None
) -> Callable[..., Any]:
    """`command` with a flag per field of each spec; it gets them as `overrides: dict[str, Any]`.

    specs: section → spec (`""`: no prefix); plain: whether `--field` without prefix means this section's field.
    """
    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "overrides"]
    parameters, keys = [], {}
    for section, spec in specs.items():
        group = Group(section or spec.__name__)
        for field, info in spec.model_fields.items():
            name = f"{section}__{field}" if section else field
            dotted = f"{section}.{field}" if section else field
            names = [f"--{dotted}"]
            if section and plain and plain(section, field):
                names.append(f"--{field}")
            keys[name] = (dotted, info)
            note = Parameter(
                name=tuple(names),
                help=_help(spec, field, info),
                group=group,
                show_default=False,
                allow_leading_hyphen=True,
            )
            kind = inspect.Parameter.KEYWORD_ONLY
            parameters.append(inspect.Parameter(name, kind, default=None, annotation=Annotated[str | None, note]))

    def wrapped(*args: Any, **values: Any) -> Any:
        given = {name: values.pop(name) for name in keys if name in values}
        overrides = {
            keys[name][0]: convert(keys[name][1].annotation, text, f"--{keys[name][0]}")
            for name, text in given.items()
            if text is not None
        }
        return command(*args, overrides=overrides, **values)

    signature = inspect.Signature([*own, *parameters])
    wrapped.__signature__ = signature  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    wrapped.__name__ = command.__name__
    wrapped.__doc__ = command.__doc__
    return wrapped


def _help(spec: type[Spec], field: str, info: FieldInfo) -> str:
    # A spec made of two others is explained by theirs.
    keys = (
        f"{one.__module__.split('.')[1]}.{one.__name__}.{field}.help" for one in spec.__mro__ if issubclass(one, Spec)
    )
    text = next((translate(key) for key in keys if "." in key and has_text(key)), "")
    choices = [str(choice) for choice in get_args(info.annotation)] if get_origin(info.annotation) is Literal else []
    default = info.get_default(call_default_factory=True) if not info.is_required() else None
    notes = ["|".join(choices)] if choices else []
    if default not in (None, "", [], {}, ()):
        notes.append(f"= {default}")
    return f"{text} [{'; '.join(notes)}]" if notes else text


def convert(annotation: Any, text: str, flag: str) -> Any:
    """The value that `text` on a command line means for a field; its bounds are checked by the spec.

    Lists are written `a,b` or as JSON, mappings `a=b,c=d` or as JSON; `null` is no value where none is allowed.
    """
    kinds = _kinds(annotation)
    if type(None) in kinds and (text == "null" or (text in ("none", "None") and str not in kinds)):
        return None
    nested = any(isinstance(kind, type) and issubclass(kind, Spec) for kind in kinds)
    if text.lstrip().startswith(("{", "[")) and (nested or dict in kinds or list in kinds or tuple in kinds):
        try:
            return json.loads(text)
        except ValueError as error:
            raise ConfigError("cli.bad_json", flag=flag, problem=str(error)) from error
    if dict in kinds:
        pairs = [item.partition("=") for item in text.split(",") if item]
        if any(not equals for _, equals, _ in pairs):
            raise ConfigError("cli.bad_pairs", flag=flag, value=text)
        return {key.strip(): value.strip() for key, _, value in pairs}
    if list in kinds or tuple in kinds:
        return [item.strip() for item in text.split(",") if item.strip()]
    if bool in kinds and text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    if str not in kinds and text.lower() not in _TRUE | _FALSE:
        loaded = yaml.safe_load(text) if text else text
        return loaded if isinstance(loaded, int | float) else text
    return text


def _kinds(annotation: Any) -> set[Any]:
    """The plain types that an annotation allows."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return set().union(*(_kinds(part) for part in get_args(annotation)))
    if origin is Literal:
        return {type(choice) for choice in get_args(annotation)}
    return {origin or annotation}


@cache
def switches() -> frozenset[str]:
    """Fields that are true or false, over all specs: they may stand without a value."""
    from metier.evaluate import CompareSpec, EvaluateSpec
    from metier.predict import PredictSpec
    from metier.prepare import PrepareSpec
    from metier.report import ReportSpec
    from metier.train import TrainSpec

    specs: tuple[type[Spec], ...] = (PrepareSpec, TrainSpec, PredictSpec, EvaluateSpec, CompareSpec, ReportSpec)
    return frozenset(
        name for spec in specs for name, info in spec.model_fields.items() if bool in _kinds(info.annotation)
    )


def fill_bare_switches(tokens: list[str]) -> list[str]:
    """`--packing` alone means `--packing true`, as transformers' parsers have it; `--no-packing` means false."""
    if not tokens or tokens[0] not in ("run", "train", "predict", "evaluate", "compare", "report"):
        return tokens
    filled: list[str] = []
    for index, token in enumerate(tokens):
        following = tokens[index + 1].lower() if index + 1 < len(tokens) else ""
        name = token.removeprefix("--")
        if not token.startswith("--") or "=" in token:
            filled.append(token)
        elif name.startswith("no-") and name[3:].rsplit(".", 1)[-1] in switches():
            filled += [f"--{name[3:]}", "false"]
        elif name.rsplit(".", 1)[-1] in switches() and following not in _TRUE | _FALSE:
            filled += [token, "true"]
        else:
            filled.append(token)
    return filled
