"""Findings as a DOCX file that Word and WPS open: the picture, what was found, and a table of the figures."""

from __future__ import annotations

import io
from typing import Any

from metier.report.findings.crops import Crops
from metier.report.findings.seriescharts import series_chart
from metier.report.findings.words import Words
from metier.specialists.finance.schema import KINDS, Finding, Findings

_PICTURE_CM = 15.5
_SMALL = 9


def findings_docx(findings: Findings, crops: Crops) -> bytes:
    """The bytes of the file."""
    from docx import Document
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt

    words = Words(findings)
    document = Document()
    for section in document.sections:
        section.left_margin = section.right_margin = Cm(2.5)
    style = document.styles["Normal"]
    style.font.name, style.font.size = "Calibri", Pt(10.5)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "微软雅黑")  # Word keeps the font of Chinese characters apart
    document.core_properties.title = findings.title or findings.name
    document.add_heading(_clean(findings.title or findings.name), 0)
    facts = [
        findings.name,
        words.say("pages", count=findings.pages),
        words.say("tables", count=len(findings.exhibits)),
        words.say("checked", count=findings.checked),
    ]
    document.add_paragraph(_clean(" · ".join(facts)))
    document.add_paragraph(words.say("written_by", model=findings.model) if findings.model else words.say("by_rules"))
    if findings.question:
        document.add_paragraph().add_run(_clean(findings.question)).bold = True
    if findings.answer:
        document.add_paragraph(_clean(findings.answer))
    for exhibit in findings.exhibits:
        if chart := series_chart(exhibit):
            document.add_picture(io.BytesIO(chart.png()), width=Cm(_PICTURE_CM))
    for kind in KINDS:
        if own := findings.of(kind):
            document.add_heading(words.kind(kind), 1)
        for one in own:
            _finding(document, one, crops.of(one), words)
    if findings.rules:
        document.add_heading(words.say("rules"), 1)
    for answer in findings.rules:
        document.add_paragraph(style="List Bullet").add_run(_clean(answer.rule)).bold = True
        document.add_paragraph(_clean(f"{words.say('rule_' + answer.status)} · {answer.text}"))
        for quote in answer.evidence:
            document.add_paragraph(_clean(f"“{quote.text}” ({words.place(quote.place)})"))
    for notice in findings.notices:
        document.add_paragraph(_clean(notice))
    document.add_paragraph(words.say("footer"))
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def _finding(document: Any, one: Finding, picture: bytes | None, words: Words) -> None:
    from docx.shared import Cm, Pt, RGBColor

    red, small = RGBColor(0xB4, 0x23, 0x18), Pt(_SMALL)
    run = document.add_paragraph(style="List Bullet").add_run(_clean(one.text))
    if one.kind == "contradiction":
        run.font.color.rgb = red
    for flag in one.flags:
        document.add_paragraph().add_run(_clean("⚠ " + flag.text)).font.color.rgb = red
    if picture:
        document.add_picture(io.BytesIO(picture), width=Cm(_PICTURE_CM))
        if one.place:
            document.add_paragraph().add_run(words.place(one.place)).font.size = small
    if one.figures:
        table = document.add_table(rows=1, cols=4, style="Light Grid Accent 1")
        for cell, key in zip(table.rows[0].cells, ("figure", "period", "value", "source"), strict=True):
            cell.text = words.say(key)
        for figure in one.figures:
            source = " ".join(part for part in (words.source(figure), figure.working, words.places(figure)) if part)
            for cell, text in zip(
                table.add_row().cells, (figure.label, figure.period, words.value(figure), source), strict=True
            ):
                cell.text = _clean(text)
        for row in table.rows:
            for cell in row.cells:
                for paragraph in cell.paragraphs:
                    for part in paragraph.runs:
                        part.font.size = small


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(one for one in text if one >= " " or one in "\n\t")
