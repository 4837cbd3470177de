"""Chat templates in a sandbox: same language as transformers' own, pure and bounded.

Differences to `transformers.utils.chat_template_utils`, each meant:

- a rendering depends on its messages alone: `strftime_now` and `date_string` are always `26 Jul 2024`, the date that
  Llama 3's template falls back to, so that a prompt is the same tomorrow as it was in training;
- a template takes at most `MAX_STEPS` loop turns, `MAX_TEXT` characters and `MAX_SOURCE` characters of source, so
  that a hostile or broken one ends in an error and not in a hung machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from jinja2 import Template, TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

MAX_SOURCE = 200_000
MAX_STEPS = 100_000
MAX_TEXT = 32_000_000
TODAY = datetime(2024, 7, 26)
DATE_STRING = "26 Jul 2024"
_TICK = "metier_tick"


class TemplateFailure(Exception):  # noqa: N818  not an error of its own: callers turn it into a UserError with a place
    """A template could not be compiled, or refused what it was given. `str()` is one line."""


class _Generation(Extension):
    """`{% generation %}…{% endgeneration %}` marks answers for other tools; here it renders what is inside."""

    tags = {"generation"}  # noqa: RUF012  jinja2's own declaration

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        line = next(parser.stream).lineno
        return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True), lineno=line)


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "+"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Refuses text and numbers that grow without bound."""
        if operator == "**" and (abs(right) > 64 or abs(left) > 1_000_000):
            raise SecurityError("a power too large")
        if operator == "*" and _length(left) * _length(right) > MAX_TEXT:
            raise SecurityError("a product too large")
        if operator == "+" and _length(left) + _length(right) > MAX_TEXT:
            raise SecurityError("a text too long")
        return super().call_binop(context, operator, left, right)


class _Namespace(Namespace):
    def __setitem__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            raise SecurityError(f"a namespace cannot hold {name!r}")
        super().__setitem__(name, value)


def _length(value: Any) -> int:
    if isinstance(value, int):
        return abs(value)
    return len(value) if hasattr(value, "__len__") else 1


def _raise_exception(message: str) -> None:
    raise TemplateError(message)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # jinja2's own filter escapes HTML, which a model should not see.
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


@lru_cache(maxsize=1)
def _environment() -> _Sandbox:
    sandbox = _Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
    sandbox.filters["tojson"] = _tojson
    sandbox.globals["raise_exception"] = _raise_exception
    sandbox.globals["strftime_now"] = TODAY.strftime
    sandbox.globals["namespace"] = _Namespace
    return sandbox


@lru_cache(maxsize=64)
def compile_template(source: str) -> Template:
    """A template ready to render; each loop turn calls a counter that `render` provides. Raises TemplateFailure."""
    if len(source) > MAX_SOURCE:
        raise TemplateFailure(f"it is {len(source):,} characters long; at most {MAX_SOURCE:,} are read")
    sandbox = _environment()
    try:
        tree = sandbox.parse(source)
        for loop in tree.find_all(nodes.For):
            count = nodes.Call(nodes.Name(_TICK, "load"), [], [], None, None, lineno=loop.lineno)
            loop.body.insert(0, nodes.ExprStmt(count, lineno=loop.lineno))
        code = sandbox.compile(tree)
    except (TemplateError, RecursionError) as error:
        raise TemplateFailure(_one_line(error)) from error
    return Template.from_code(sandbox, cast("Any", code), sandbox.make_globals(None))


def _counter() -> Callable[[], str]:
    left = MAX_STEPS

    def tick() -> str:
        nonlocal left
        left -= 1
        if left < 0:
            raise SecurityError(f"more than {MAX_STEPS:,} loop turns")
        return ""

    return tick


def render(template: Template, messages: Sequence[Mapping[str, Any]], **variables: Any) -> str:
    """The text of `messages`. Raises TemplateFailure with the template's own words if it refuses them."""
    size = 0
    pieces: list[str] = []
    variables = {"date_string": DATE_STRING, **variables, _TICK: _counter()}
    try:
        for piece in template.generate(messages=messages, tools=None, documents=None, **variables):
            size += len(piece)
            if size > MAX_TEXT:
                raise SecurityError(f"more than {MAX_TEXT:,} characters")
            pieces.append(piece)
    except (TemplateError, RecursionError, MemoryError, OverflowError) as error:
        raise TemplateFailure(_one_line(error)) from error
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ZeroDivisionError) as error:
        # A template's own mistake, such as adding None to text, surfaces as the Python error of its compiled code.
        raise TemplateFailure(_one_line(error)) from error
    return "".join(pieces)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
