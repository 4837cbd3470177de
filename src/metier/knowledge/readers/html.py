"""HTML: what a reader of the page would see, with its headings and tables; scripts and hidden parts are left out."""

from __future__ import annotations

import re
from typing import Any

from metier.core.errors import DataError
from metier.knowledge.draft import Draft
from metier.knowledge.readers import Emit, Source
from metier.knowledge.readers.plain import decoded, decoded_as

_DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_UNSEEN = {"script", "style", "template", "noscript", "head", "iframe", "object", "svg", "math", "canvas", "select"}
_INLINE_WORDS = (
    "a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark q rp rt ruby s samp small span strike "
    "strong sub sup time tt u var wbr img input button"
)
_INLINE = frozenset(_INLINE_WORDS.split())
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])|opacity\s*:\s*0(?![.\d]*[1-9])"
    r"|color\s*:\s*(?:#fff(?:fff)?\b|white\b|transparent\b)",
    re.IGNORECASE,
)


def read(source: Source, draft: Draft, emit: Emit) -> str:
    """Adds the blocks of the page in order."""
    text, encoding = _decoded(source)
    from lxml import etree, html

    parser = html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        tree = html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise DataError("knowledge.reading_damaged", file=source.name, problem=error) from error
    draft.page(1)
    draft.title = tree.findtext(".//title") or ""
    walk = _Walk(draft)
    walk.element(tree)
    walk.flush()
    if walk.hidden:
        draft.notice("knowledge.notice_hidden", count=len(walk.hidden), words=" … ".join(walk.hidden)[:120])
    emit({"event": "progress", "step": 1, "total": 1})
    return encoding


def _decoded(source: Source) -> tuple[str, str]:
    """By its mark or as UTF-8, else as it says itself, else as any text: decided or refused."""
    declared = _DECLARED.search(source.content[:4096])
    if declared:
        name = declared[1].decode("ascii").lower()
        name = "gb18030" if name in ("gb2312", "gbk") else name
        try:
            return decoded_as(source, name), name
        except (LookupError, UnicodeDecodeError):
            pass
    return decoded(source)


class _Walk:
    """Gathers inline text until a block ends."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.hidden: list[str] = []
        self._words: list[str] = []

    def element(self, node: Any) -> None:
        """An element and what follows it. Deep trees are walked without recursion."""
        work: list[tuple[str, Any]] = [("open", node)]
        while work:
            what, one = work.pop()
            if what == "text":
                self._words.append(one)
            elif what == "flush":
                self.flush(one)
            elif isinstance(one.tag, str):
                work += reversed(self._steps(one))

    def _steps(self, node: Any) -> list[tuple[str, Any]]:
        """What is to be done for an element, in order."""
        tag = node.tag.lower()
        if tag in _UNSEEN:
            return []
        if node.get("hidden") is not None or _HIDDEN.search(node.get("style") or ""):
            words = " ".join("".join(node.itertext()).split())
            if words:
                self.hidden.append(words)
            return []
        if tag == "table" and not node.findall(".//table"):
            self.flush()
            self._table(node)
            return []
        inner: list[tuple[str, Any]] = [("text", node.text)] if node.text else []
        for child in node:
            inner.append(("open", child))
            if child.tail:
                inner.append(("text", child.tail))
        if tag == "br":
            return [*inner, ("flush", 0)]
        if tag in _INLINE:
            return inner
        return [("flush", 0), *inner, ("flush", _HEADINGS.get(tag, 0))]

    def flush(self, level: int = 0) -> None:
        """Ends a block. level: of a heading, 0 for a paragraph."""
        text = " ".join("".join(self._words).split())
        self._words.clear()
        if text and level:
            self.draft.heading(text, level)
        elif text:
            self.draft.add(text)

    def _table(self, node: Any) -> None:
        rows: list[list[str]] = []
        header = 0
        for row in node.iter("tr"):
            cells = [cell for cell in row if cell.tag in ("td", "th")]
            if cells and all(cell.tag == "th" for cell in cells) and header == len(rows):
                header += 1
            rows.append([" ".join("".join(cell.itertext()).split()) for cell in cells])
        caption = node.findtext("caption")
        if caption and caption.strip():
            self.draft.add(" ".join(caption.split()))
        self.draft.table(rows, header=header or 1)
