"""Templates with what every page knows: who reads, in which language, and how numbers and times are written."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from metier import __version__
from metier.core.files import sha256_file
from metier.core.i18n import current_language, translate
from metier.core.units import size_text
from metier.web.markdown import to_html
from metier.workbench.accounts import Person

FOLDER = Path(__file__).parent
THEMES = ("auto", "light", "dark")
THEME_COOKIE = "metier_theme"


def page(
    request: Request, template: str, person: Person | None = None, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page, or a part of one. values: what the template shows."""
    theme = request.cookies.get(THEME_COOKIE, "auto")
    text = (
        environment()
        .get_template(template)
        .render(
            person=person,
            language=current_language(),
            theme=theme if theme in THEMES else "auto",
            path=request.url.path,
            this_address=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            version=__version__,
            **values,
        )
    )
    return HTMLResponse(text, status)


@cache
def environment() -> Environment:
    """The template engine: everything is escaped, and a misspelt name is an error."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals.update(t=say, icon=icon, static=static, has_page=has_page)
    made.filters.update(
        moment=moment, bytes=size_text, duration=duration, number=number, percent=percent, markdown=to_html,
        data_json=data_json, short=short, minutes_text=minutes_text,
    )  # fmt: skip
    return made


def warm() -> None:
    """Compiles all templates, in a thread of its own: the first reader of a page need not wait for it."""

    def compile_all() -> None:
        for name in environment().list_templates():
            environment().get_template(name)

    threading.Thread(target=compile_all, name="templates", daemon=True).start()


def say(key: str, /, **fields: Any) -> str:
    """A text of the web's catalogue, or of another package's where the key has a dot (`train.TrainSpec.seed.label`)."""
    return translate(key if "." in key else f"web.{key}", **fields)


def icon(name: str, label: str = "") -> Markup:
    """One of the icons in `icons.svg`. label: what it means where no text stands beside it."""
    hidden = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {}><use href="{}#{}"></use></svg>').format(hidden, static("icons.svg"), name)


@cache
def has_page(address: str) -> bool:
    """Whether the installation has the page that a menu names: a module of its name in `pages`."""
    return (FOLDER / "pages" / f"{address.strip('/').replace('-', '_') or 'home'}.py").is_file()


@cache
def static(name: str) -> str:
    """The address of a static file, which changes with its content."""
    return f"/static/{name}?v={sha256_file(FOLDER / 'static' / name)[:10]}"


def moment(value: datetime | None) -> Markup:
    """A time, written by the browser in its own zone."""
    if value is None:
        return Markup("–")
    iso = value.isoformat(timespec="seconds")
    return Markup('<time datetime="{}">{}</time>').format(iso, iso[:16].replace("T", " "))


def duration(seconds: float | None) -> str:
    """`0:07`, `12:34`, `1:02:03`."""
    if seconds is None:
        return "–"
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def minutes_text(minutes: float) -> str:
    """Minutes without false precision: `0.5`, `7`, `35`, `240`."""
    if minutes < 1:
        return f"{max(0.1, round(minutes, 1)):g}"
    return f"{round(minutes) if minutes < 20 else round(minutes / 5) * 5}"


def number(value: float | None) -> str:
    """A number with its thousands apart."""
    return "–" if value is None else f"{value:,}"


def short(value: float | None) -> str:
    """A large number in short: `135 M`, `7.6 B`."""
    if value is None:
        return "–"
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value >= size:
            return f"{value / size:.1f} {unit}" if value < 100 * size else f"{value / size:.0f} {unit}"
    return f"{value:.0f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share of one as a percentage."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def data_json(value: Any) -> Markup:
    """A value for a `data-…` attribute."""
    return escape(json.dumps(value, ensure_ascii=False, default=str))
