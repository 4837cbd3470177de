"""Answers of models as HTML that can do nothing: rendered by markdown-it without raw HTML, then cleaned by nh3."""

from __future__ import annotations

from functools import cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_TAGS = {
    "p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5",
    "h6", "table", "thead", "tbody", "tr", "th", "td", "a",
}  # fmt: skip
_LONGEST = 200_000


def to_html(text: str, *, links: bool = True) -> Markup:
    """Markdown as safe HTML. Pictures are left out: they could call other servers. links: whether links are links, or
    the words they were written with."""
    html = _renderer(links).render(text[:_LONGEST])
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return Markup(clean)  # noqa: S704 - cleaned on the line above


@cache
def _renderer(links: bool) -> MarkdownIt:
    renderer = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).enable(
        ["table", "strikethrough"]
    )
    return renderer if links else renderer.disable(["link", "image", "autolink", "reference"])
