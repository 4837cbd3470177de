"""DOCX by python-docx: paragraphs, headings and tables in order. Hidden words are left out, and told."""

from __future__ import annotations

import io
import re
from typing import Any

from metier.core.errors import DataError
from metier.knowledge.draft import Draft
from metier.knowledge.readers import Emit, Source
from metier.knowledge.readers.zipped import check_zip

_LEVEL = re.compile(r"(?:heading|标题)\s*(\d)", re.IGNORECASE)
_LEAST_POINTS = 2


def read(source: Source, draft: Draft, emit: Emit) -> str:
    """Adds the body."""
    check_zip(source)
    import docx
    from docx.opc.exceptions import PackageNotFoundError
    from docx.table import Table
    from lxml.etree import XMLSyntaxError

    try:
        file = docx.Document(io.BytesIO(source.content))
        blocks = list(file.iter_inner_content())
    except (PackageNotFoundError, XMLSyntaxError, KeyError, ValueError) as error:
        raise DataError("knowledge.reading_damaged", file=source.name, problem=error) from error
    draft.page(1)
    draft.title = file.core_properties.title or ""
    hidden: list[str] = []
    for block in blocks:
        if isinstance(block, Table):
            draft.table([_row(row, hidden) for row in block.rows])
            continue
        text = _shown(block, hidden)
        level = _level(block)
        if level:
            draft.heading(text, level)
        elif text.strip():
            draft.add(text.strip())
    if hidden:
        draft.notice("knowledge.notice_hidden", count=len(hidden), words=" … ".join(hidden)[:120])
    emit({"event": "progress", "step": 1, "total": 1})
    return ""


def _row(row: Any, hidden: list[str]) -> list[str]:
    """The cells of a row; one that spans several columns stands once."""
    cells, before = [], None
    for cell in row.cells:
        if cell._tc is not before:
            cells.append(" ".join(_shown(paragraph, hidden) for paragraph in cell.paragraphs))
        before = cell._tc
    return cells


def _level(paragraph: Any) -> int:
    """The level of a heading, 0 for any other paragraph."""
    name = paragraph.style.name if paragraph.style is not None else ""
    found = _LEVEL.match(name or "")
    return int(found[1]) if found else 1 if name in ("Title", "标题") else 0


def _shown(paragraph: Any, hidden: list[str]) -> str:
    """The words of a paragraph that are seen."""
    words = []
    for part in paragraph.iter_inner_content():
        for run in getattr(part, "runs", [part]):
            if run.text and _is_hidden(run):
                hidden.append(run.text.strip())
            else:
                words.append(run.text)
    return "".join(words)


def _is_hidden(run: Any) -> bool:
    font = run.font
    white = font.color is not None and font.color.rgb is not None and str(font.color.rgb) == "FFFFFF"
    shaded = run._r.find(".//{*}shd") is not None or run._r.getparent().find(".//{*}shd") is not None
    tiny = font.size is not None and font.size.pt < _LEAST_POINTS
    return bool(font.hidden) or tiny or (white and not shaded and font.highlight_color is None)
