"""The draft as a DOCX file that Word and WPS open."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

FONT, SIZE, TITLE_SIZE = "FangSong", 12, 18  # points; FangSong is what Chinese offices file in


def request_docx(draft: Mapping[str, Any]) -> bytes:
    """The bytes of a draft (`RequestDraft` as JSON-able values, as a tool's step stores it)."""
    from docx import Document
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt

    document = Document()
    for section in document.sections:
        section.top_margin = section.bottom_margin = Cm(2.54)
        section.left_margin = section.right_margin = Cm(2.8)
    style = document.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(SIZE)
    # Word keeps the font of Chinese characters apart.
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "仿宋")
    title = document.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = title.add_run(str(draft["title"]))
    run.bold, run.font.size = True, Pt(TITLE_SIZE)
    for one in draft["sections"]:
        document.add_paragraph().add_run(str(one["heading"])).bold = True
        _paragraphs(document, one["paragraphs"])
    _paragraphs(document, draft["closing"])
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def _paragraphs(document: Any, texts: Sequence[Any]) -> None:
    """Paragraphs whose gaps are marked, so that nobody files one unseen."""
    from docx.enum.text import WD_COLOR_INDEX

    for text in texts:
        paragraph = document.add_paragraph()
        for piece in re.split(r"(【待补[^】]*】)", str(text)):
            if piece:
                run = paragraph.add_run(piece)
                if piece.startswith("【待补"):
                    run.font.highlight_color = WD_COLOR_INDEX.YELLOW
