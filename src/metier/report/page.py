"""`report.json` becomes `report.html`: templates, the style sheet and pictures in one file without a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from metier.core.i18n import LANGUAGES
from metier.report import pictures
from metier.report.charts.difference import direction
from metier.report.charts.scale import is_number
from metier.report.texts import bytes_text, count_text, duration_text, has_label, metric_name, score_text, text
from metier.report.tidy import shortened, visible

FIELD_CHARACTERS = 300  # of a value in the provenance table: processors name hundreds of abilities
_HASH = re.compile("[0-9a-f]{40,128}")
_LANGUAGE_TAGS = {"en": "en", "zh": "zh-CN"}


def page(report: dict[str, Any]) -> str:
    """The whole page for the content of `report.json`."""
    return environment().get_template("report.html.jinja").render(report=report)


@cache
def environment() -> Environment:
    """The templates with their helpers. Everything is escaped unless a helper made it as markup."""
    made = Environment(
        loader=PackageLoader("metier.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        t=_translated,
        both=both,
        chart=pictures,
        style=Markup(files("metier.report.templates").joinpath("style.css").read_text(encoding="utf-8")),  # noqa: S704
        metric_name=metric_name,
        direction=direction,
        field_name=_field_name,
        field_value=_field_value,
    )
    helpers: dict[str, Callable[..., Any]] = {
        "visible": visible,
        "score": score_text,
        "loss": _loss,
        "count": count_text,
        "duration": duration_text,
        "size": bytes_text,
        "both": both,
    }
    made.filters.update(helpers)
    made.tests["figure"] = is_number
    return made


def both(words: dict[str, str]) -> Markup:
    """A text in both languages as two spans, of which the page shows the chosen one."""
    spans = [
        Markup('<span class="{}" lang="{}">{}</span>').format(
            language, _LANGUAGE_TAGS[language], _clean(words[language])
        )
        for language in LANGUAGES
    ]
    if words["en"] == words["zh"]:
        return escape(_clean(words["en"]))
    return Markup("").join(spans)


def _clean(words: str) -> Markup | str:
    return words if isinstance(words, Markup) else visible(words)


def _translated(key: str, **fields: Any) -> Markup:
    """The catalogue's text in both languages; fields are escaped."""
    escaped = {
        name: {language: escape(_clean(value[language])) for language in LANGUAGES}
        if isinstance(value, dict)
        else escape(_clean(str(value)) if not isinstance(value, Markup) else value)
        for name, value in fields.items()
    }
    made = text(key, **escaped)
    return both({language: Markup(made[language]) for language in LANGUAGES})  # noqa: S704 - fields are escaped above


def _loss(value: Any) -> str:
    return f"{value:.3f}" if is_number(value) else "—"


def _field_name(name: str) -> Markup:
    """The label of a manifest's field, or its key without the group it stands in."""
    if has_label(f"field.{name}"):
        return _translated(f"field.{name}")
    return Markup("<code>{}</code>").format(visible(name.partition(".")[2] or name))


def _field_value(name: str, value: Any) -> Markup:
    """Sizes in units, hashes and commands in the typewriter's face."""
    if is_number(value) and name.rpartition(".")[2] in ("memory", "memory_bytes"):
        return escape(bytes_text(value))
    words, left_out = shortened(visible(str(value)), FIELD_CHARACTERS)
    if left_out:
        return escape(words) + Markup(" ") + _translated("characters_left_out", n=count_text(left_out))
    if _HASH.fullmatch(words) or name in ("command", "command_line"):
        return Markup("<code>{}</code>").format(words)
    return escape(words)
