"""PDF by pypdfium2: the text of each page as lines, mended into paragraphs across lines and pages.

Scripts, embedded files and launch actions are never followed: pdfium is built without them, and no form is opened.
"""

from __future__ import annotations

import pypdfium2
from pypdfium2 import raw

from metier.core.errors import DataError
from metier.knowledge.draft import MAX_PAGES, Draft
from metier.knowledge.layout import PageText
from metier.knowledge.pdflines import page_text
from metier.knowledge.readers import Emit, Source
from metier.knowledge.running import without_running_lines
from metier.knowledge.writing import write

_TELL_EVERY = 25


def read(source: Source, draft: Draft, emit: Emit) -> str:
    """Adds every page; one without text is marked as empty."""
    pdf = opened(source)
    count = len(pdf)
    if not count:
        raise DataError("knowledge.no_pages", file=source.name)
    if count > MAX_PAGES:
        raise DataError("knowledge.too_many_pages", file=source.name, limit=MAX_PAGES)
    emit({"event": "progress", "step": 0, "total": count})
    pages: list[PageText] = []
    for number in range(1, count + 1):
        pages.append(page_text(pdf, source, number))
        if number % _TELL_EVERY == 0 or number == count:
            emit({"event": "progress", "step": number, "total": count})
    pages, running = without_running_lines(pages)
    write(pages, draft)
    if running:
        draft.notice("knowledge.notice_running", count=len(running), words=" … ".join(running)[:120])
    draft.title = pdf.get_metadata_value("Title")
    return ""


def opened(source: Source) -> pypdfium2.PdfDocument:
    """The open file. Raises DataError saying what is wrong with it."""
    try:
        return pypdfium2.PdfDocument(source.content)
    except pypdfium2.PdfiumError as error:
        code = raw.FPDF_GetLastError() if error.err_code is None else error.err_code
        if code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise DataError("knowledge.encrypted", file=source.name) from error
        raise DataError("knowledge.damaged_pdf", file=source.name) from error
