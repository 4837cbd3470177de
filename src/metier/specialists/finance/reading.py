"""From a report to findings: PDF, picture, XLSX, CSV, DOCX … → tables → figures → findings by rules and tools.

read_report ─► document ─► sheets ─► table findings ─┐
                     └───► texts ─► claims, risks ───┴─► Findings ─► (a model adds its own, checked: `writing`)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from metier.core.i18n import Language, current_language
from metier.knowledge.document import Box
from metier.knowledge.pagepictures import find_boxes, find_drawings, page_picture
from metier.specialists.finance.claims import Claim, claims_of
from metier.specialists.finance.compliance import check_rules
from metier.specialists.finance.documenttables import sheets_of, year_of
from metier.specialists.finance.evidence import Evidence, Text, words_of
from metier.specialists.finance.risks import risk_findings
from metier.specialists.finance.schema import Exhibit, Figure, Finding, Findings, Spot
from metier.specialists.finance.seentables import seen_sheets
from metier.specialists.finance.series import PARQUET, Series, read_parquet_series, series_in
from metier.specialists.finance.seriesfindings import series_exhibit, series_findings
from metier.specialists.finance.sheets import Sheet
from metier.specialists.finance.tablefindings import table_findings
from metier.specialists.finance.telling import Teller, computed_figure, figure_of, finding, spot

if TYPE_CHECKING:
    from metier.knowledge.asking import Listener
    from metier.knowledge.document import Document
    from metier.specialists.finance.writing import Picture

_FIGURE_TITLE = re.compile(r"(?:图|figure|chart|exhibit)\s*[\d一二三四五六七八九十]", re.IGNORECASE)
MOST_PICTURES = 6  # that a model is shown
MOST_ROWS = 400  # of an exhibit as it is kept


def read_report(
    path: Path | str,
    *,
    name: str = "",
    question: str = "",
    language: Language | None = None,
    events: Listener | None = None,
) -> Findings:
    """The findings of a report that rules and tools can give, without a model.

    Raises DataError for a file that cannot be read.
    """
    from metier.knowledge.reading import read_document

    if Path(path).suffix.lower() in PARQUET:
        return findings_of_series(read_parquet_series(Path(path)), question=question, language=language)
    return findings_in(path, read_document(path, name=name, events=events), question=question, language=language)


def findings_in(
    path: Path | str, document: Document, *, question: str = "", language: Language | None = None
) -> Findings:
    """The findings of a file that was read; places in its text are found on its pages."""
    series = series_in(document) if document.kind in ("csv", "xlsx") else None
    if series is not None:
        return findings_of_series(series, document, question=question, language=language)
    findings = findings_of(document, question=question, language=language)
    _add_pictures(Path(path), document, findings)
    _mark_texts(Path(path), document, findings)
    return findings


def findings_of_series(
    series: Series, document: Document | None = None, *, question: str = "", language: Language | None = None
) -> Findings:
    """The findings of a series over time. document: that it was read from, if any."""
    tell = Teller(language or current_language())
    found = series_findings(series, 1, tell)
    return Findings(
        name=series.name,
        kind=document.kind if document else "parquet",
        sha256=document.sha256 if document else "",
        language=tell.language,
        period=f"{series.labels[0]} – {series.labels[-1]}",
        question=question,
        exhibits=[series_exhibit(series, 1)],
        findings=_ordered(found, question),
        notices=[notice.text(tell.language) for notice in document.notices] if document else [],
    )


def pictures_for(path: Path, document: Document, findings: Findings) -> list[Picture]:
    """What a model that sees pictures should see: the picture itself, or the pages with charts."""
    from metier.specialists.finance.writing import Picture

    pages = [one.place.page for one in findings.exhibits if one.kind == "picture"]
    if document.kind == "image":
        pages = [page.number for page in document.pages]
    return [Picture(page, page_picture(path, page)) for page in sorted(set(pages))[:MOST_PICTURES]]


def findings_of(document: Document, *, question: str = "", language: Language | None = None) -> Findings:
    """The findings of a document that was read."""
    tell = Teller(language or current_language())
    evidence = evidence_of(document)
    exhibits: list[Exhibit] = []
    found: list[Finding] = []
    for sheet in evidence.sheets:
        if sheet.entries:
            exhibits.append(_exhibit(document, sheet, len(exhibits) + 1))
            found += table_findings(sheet, len(exhibits), tell)
    numbers = {one.table: one.number for one in exhibits}
    claims = claims_of(evidence)
    found += [_contradiction(claim, numbers, tell) for claim in claims if not claim.holds]
    found += risk_findings(evidence.sheets, evidence.texts, tell)
    found += _open(exhibits, tell)
    return Findings(
        name=document.name,
        kind=document.kind,
        sha256=document.sha256,
        title=document.title,
        language=tell.language,
        pages=len(document.pages),
        period=str(year_of(document) or ""),
        question=question,
        exhibits=exhibits,
        findings=_ordered(found, question),
        checked=len(claims),
        notices=[notice.text(tell.language) for notice in document.notices],
    )


def _add_pictures(path: Path, document: Document, findings: Findings) -> None:
    """Charts and pictures become exhibits. Rules read no values from them, and say so."""
    tell = Teller(findings.language)
    tables = [Box(one.place.page, *one.place.box) for one in findings.exhibits if one.place.box]
    for box in find_drawings(path, document, tables):
        place = Spot(page=box.page, box=(box.left, box.top, box.right, box.bottom))
        title = _picture_title(document, box.page)
        number = len(findings.exhibits) + 1
        findings.exhibits.append(Exhibit(number=number, kind="picture", title=title, place=place))
        said = tell.say("open_picture", page=box.page, title=f" “{title}”" if title else "")
        findings.findings.append(finding("not_concluded", said, exhibit=number, place=place))


def _picture_title(document: Document, number: int) -> str:
    """The line of a page that names a figure, where there is just one."""
    page = next((page for page in document.pages if page.number == number), None)
    lines = document.text[page.start : page.end].split("\n") if page else []
    named = [line.strip() for line in lines if _FIGURE_TITLE.match(line.strip()) and len(line) < 120]
    return named[0] if len(named) == 1 else ""


def add_rules(path: Path, document: Document, findings: Findings, rules: Sequence[str]) -> None:
    """Answers rules in plain words from the document."""
    findings.rules = check_rules(rules, evidence_of(document), Teller(findings.language))
    _mark_texts(path, document, findings)


def _mark_texts(path: Path, document: Document, findings: Findings) -> None:
    """Gives places in the text a box on their page, so that a picture can show them."""
    places = [place for one in findings.findings for figure in one.figures for place in figure.places]
    places += [one.place for one in findings.findings if one.place]
    places += [quote.place for rule in findings.rules for quote in rule.evidence]
    for place in places:
        if place.box is None and place.end > place.start and document.kind in ("pdf", "image"):
            boxes = [box for box in find_boxes(path, document, place.start, place.end) if box.page == place.page]
            if boxes:
                around = Box.around(boxes)
                place.box = (around.left, around.top, around.right, around.bottom)


def evidence_of(document: Document) -> Evidence:
    """The tables and texts of a document, to check figures against."""
    sheets = sheets_of(document)
    sheets += seen_sheets(document, len(sheets) + 1, year_of(document))
    return Evidence(sheets, list(_texts(document, sheets)))


def _texts(document: Document, sheets: Sequence[Sheet]) -> Iterator[Text]:
    """The text between tables, a page at a time."""
    tables = sorted((sheet.place.start, sheet.place.end) for sheet in sheets)
    for page in document.pages:
        at = page.start
        for start, end in [*((s, e) for s, e in tables if e > page.start and s < page.end), (page.end, page.end)]:
            if start > at:
                yield Text(document.text[at : min(start, page.end)], page.number, at)
            at = max(at, end)


def _exhibit(document: Document, sheet: Sheet, number: int) -> Exhibit:
    pages = {page.number: document.text[page.start : page.end].split("\n")[0] for page in document.pages}
    figures = []
    for entry in sheet.entries:
        made = figure_of(entry)
        if document.kind == "xlsx":
            made.places[0].sheet = pages.get(sheet.page, "")
        figures.append(made)
    return Exhibit(
        number=number,
        kind="table",
        title=sheet.title,
        unit=sheet.unit,
        table=sheet.number,
        scale=sheet.scale,
        currency=sheet.currency,
        periods=[str(period) for period in sheet.periods()],
        place=spot(sheet.place),
        rows=[list(row) for row in sheet.rows[:MOST_ROWS]],
        lines=list(_lines(document, sheet)),
        figures=figures,
    )


def _lines(document: Document, sheet: Sheet) -> Sequence[int]:
    """The rows of a sheet as its file counts them, where it does."""
    place = sheet.number - 1
    return document.tables[place].lines[:MOST_ROWS] if place < len(document.tables) else ()


def _contradiction(claim: Claim, numbers: dict[int, int], tell: Teller) -> Finding:
    """A claim of the text beside what the table gives."""
    amount = claim.amount
    key = "contradiction_level" if claim.kind == "level" else "contradiction_growth"
    given = tell.amount(replace(amount, value=claim.found, decimals=max(amount.decimals, 2)))
    text = tell.say(
        key,
        page=claim.sentence.page,
        label=claim.line.short,
        period=claim.period or "",
        stated=" ".join(amount.text.split()),
        table=claim.sheet.number,
        found=given,
    )
    quoted = tell.say("said", text=" ".join(claim.sentence.text.split())[:300])
    stated = Figure(
        label=claim.line.short,
        value=amount.value,
        unit=amount.unit,
        scale=amount.scale or 1,
        currency=amount.currency,
        period=str(claim.period or ""),
        text=amount.text,
        source="text",
        places=[spot(claim.place)],
    )
    if claim.kind == "level":
        right = figure_of(claim.entries[-1])
    else:
        right = computed_figure(claim.line.short, claim.found, amount.unit, claim.working, list(claim.entries))
    return finding("contradiction", f"{text} {quoted}", [stated, right], exhibit=numbers.get(claim.sheet.number, 0))


def _open(exhibits: list[Exhibit], tell: Teller) -> Iterator[Finding]:
    """What the report as a whole leaves open."""
    if any(one.periods[1:] for one in exhibits):
        yield finding("not_concluded", tell.say("open_cause"))
    if not exhibits:
        yield finding("not_concluded", tell.say("open_none"))


def _ordered(found: list[Finding], question: str) -> list[Finding]:
    """What the question is about first; else as they stand in the report."""
    if not question.strip():
        return found
    asked = words_of(question)
    return sorted(found, key=lambda one: -len(asked & words_of(one.text)))
