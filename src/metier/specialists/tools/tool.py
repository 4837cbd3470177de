"""A tool: one typed function that a model, or a rule without a model, may call while an answer is made.

Its first parameter is the `ToolContext`; the others are its arguments, annotated so that pydantic can check them and
describe them to a model (`Annotated[Decimal, Field(description=…, ge=0)]`). It returns a `ToolResult`, or raises a
UserError whose message is shown. Tools compute and look up; none of them changes anything.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, Protocol, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from metier.core.errors import ConfigError, MetierError
from metier.core.i18n import Language, translate
from metier.engines.chatmodel import ToolSpec, Turn
from metier.knowledge.passage import Hit
from metier.specialists.evidence import ToolStep


class Searchable(Protocol):
    """What answers ask of a knowledge base. The owner is the base's own: nobody can name another's."""

    def search(
        self,
        text: str,
        *,
        limit: int = 10,
        titles: tuple[str, ...] = (),
        article: str = "",
        in_force_on: date | None = None,
    ) -> list[Hit]:
        """The passages nearest to a text, the best first. titles: laws or cases by name; article: as written."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool may know of the conversation that it works for.

    turns: the whole conversation; knowledge: the specialist's bases by name; today: the day that ages are counted to.
    """

    turns: Sequence[Turn] = ()
    knowledge: Mapping[str, Searchable] = field(default_factory=dict)
    language: Language = "en"
    today: date = field(default_factory=date.today)

    @property
    def said(self) -> tuple[str, ...]:
        """What the user said, message by message."""
        return tuple(turn.message.text for turn in self.turns if turn.message.role == "user")

    @property
    def question(self) -> str:
        """The user's last message."""
        return self.said[-1] if self.said else ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool found.

    text: in the user's language, one fact a line, complete without the rest; data: the same as JSON-able values, for
    pages; title: what it is, in few words; hits: passages it looked up, which become evidence of their own.
    """

    text: str
    data: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    hits: tuple[Hit, ...] = ()


ToolFunction = Callable[..., ToolResult]
# The calls that a conversation's facts ask for: one mapping of arguments a call, none where the facts do not suffice.
ToolRule = Callable[[ToolContext], Sequence[Mapping[str, Any]]]


def describe(name: str, function: ToolFunction) -> ToolSpec:
    """The tool as a model sees it: the docstring's first paragraph and a JSON schema of its arguments."""
    summary = " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())
    schema = arguments_model(function).model_json_schema()
    schema.pop("title", None)
    return ToolSpec(name, summary, schema)


def arguments_model(function: ToolFunction) -> type[BaseModel]:
    """A pydantic model of a tool's arguments: unknown ones are refused."""
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {
        parameter.name: (hints[parameter.name], ... if parameter.default is parameter.empty else parameter.default)
        for parameter in list(inspect.signature(function).parameters.values())[1:]
    }
    return create_model(function.__name__, __config__=ConfigDict(extra="forbid"), **fields)


def use_tool(
    name: str,
    function: ToolFunction,
    arguments: Mapping[str, Any] | str,
    context: ToolContext,
    called_by: Literal["model", "rule"],
) -> tuple[ToolStep, ToolResult | None]:
    """Calls a tool with arguments that are checked first; what went wrong stands in the step, in words.

    arguments: values, or JSON text as a model wrote it.
    """
    shown: dict[str, Any] = {}
    try:
        given = _parsed(name, arguments)
        shown = dict(given)
        checked = arguments_model(function).model_validate(given)
        shown = {
            key: value for key, value in checked.model_dump(mode="json").items() if key in checked.model_fields_set
        }
        result = function(context, **{key: getattr(checked, key) for key in type(checked).model_fields})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = translate("specialists.tool_argument", language=context.language, name=where, problem=first["msg"])
        return ToolStep(name, _jsonable(shown), None, "", called_by, error=problem), None
    except MetierError as error:
        return ToolStep(name, _jsonable(shown), None, "", called_by, error=error.text(context.language)), None
    return ToolStep(name, _jsonable(shown), result.data, result.text, called_by), result


def _parsed(name: str, arguments: Mapping[str, Any] | str) -> Mapping[str, Any]:
    if not isinstance(arguments, str):
        return arguments
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ConfigError("specialists.tool_json", tool=name)
    return value


def _jsonable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as they may be stored, whatever a model or rule gave."""
    stored: dict[str, Any] = json.loads(json.dumps(values, default=str, ensure_ascii=False))
    return stored
