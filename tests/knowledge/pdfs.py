"""PDFs for the tests: written by reportlab, or byte by byte where no writer would make them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

FONT = "STSong-Light"


def drawn(path: Path, draw: Callable[[Any], None], **options: Any) -> Path:
    """A PDF that `draw` draws on a reportlab canvas of A4 (595 × 842 pt)."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    canvas = Canvas(str(path), pagesize=A4, **options)
    draw(canvas)
    canvas.save()
    return path


def lines(path: Path, *pages: list[str], font: str = FONT, left: float = 72, top: float = 770) -> Path:
    """A PDF with these lines on its pages, 20 pt apart."""

    def draw(canvas: Any) -> None:
        for page in pages:
            canvas.setFont(font, 12)
            for number, line in enumerate(page):
                canvas.drawString(left, top - 20 * number, line)
            canvas.showPage()

    return drawn(path, draw)


def objects(*bodies: bytes, root: int = 1, trailer: bytes = b"") -> bytes:
    """A PDF of numbered objects, `1 0 obj` first, with a right table of places."""
    target = BytesIO()
    target.write(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(bodies, 1):
        places.append(target.tell())
        target.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = target.tell()
    target.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1))
    target.writelines(b"%010d 00000 n \n" % place for place in places)
    target.write(
        b"trailer\n<</Size %d/Root %d 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, root, trailer, table)
    )
    return target.getvalue()


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<</Length %d%s>>\nstream\n%s\nendstream" % (len(content), entries, content)
