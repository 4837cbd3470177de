"""SVG elements as escaped markup."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup, escape

Text = Mapping[str, str]
"""A text in both languages: `{"en": …, "zh": …}`."""


def element(name: str, *children: Markup | str, **attributes: object) -> Markup:
    """One element; `class_` is written `class`, underscores become hyphens, None is left out, numbers are shortened."""
    written = []
    for key, value in attributes.items():
        if value is None:
            continue
        key = key.rstrip("_").replace("_", "-") if key not in ("viewBox",) else key
        written.append(f' {key}="{escape(_short(value))}"')
    inner = Markup("").join(children)
    return Markup(f"<{name}{''.join(written)}>{inner}</{name}>")  # noqa: S704 - every part is escaped above


def group(*children: Markup, **attributes: object) -> Markup:
    """A `g` element."""
    return element("g", *children, **attributes)


def label(text: Text | str, **attributes: object) -> Markup:
    """A `text` element; a text in two languages becomes two, of which the page shows one."""
    if isinstance(text, str):
        return element("text", text, **attributes)
    shared = str(attributes.pop("class_", ""))
    return Markup("").join(
        element("text", text[language], class_=f"{language} {shared}".strip(), **attributes)
        for language in ("en", "zh")
    )


def percent(value: float) -> str:
    """`value` as a percentage of the plot's width."""
    return f"{value:.3f}".rstrip("0").rstrip(".") + "%"


def plot(*children: Markup, height: float, class_: str, labelled_by: str = "") -> Markup:
    """The outer `svg`: as wide as its place, `height` pixels high. `labelled_by`: id of the element that names it."""
    return element(
        "svg",
        *children,
        class_=f"plot {class_}",
        width="100%",
        height=height,
        role="img",
        aria_labelledby=labelled_by or None,
    )


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)
