"""Pages of a PDF or image as pixels; runs in the confined child."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from metier.core.errors import DataError
from metier.knowledge.kind import kind_of
from metier.knowledge.readers import Source

if TYPE_CHECKING:
    import pypdfium2
    from PIL.Image import Image

MAX_PIXELS = 12_000_000


def picture(source: Source, number: int, width: int) -> bytes:
    """A page as PNG."""
    target = io.BytesIO()
    page_image(source, number, width).save(target, "PNG", compress_level=3)
    return target.getvalue()


def page_image(source: Source, number: int, width: int) -> Image:
    """A page `width` pixels wide, or as many as keep it under `MAX_PIXELS`. Raises DataError where there is none."""
    kind = kind_of(source)
    if kind != "pdf":
        raise DataError("knowledge.no_picture", file=source.name)
    from metier.knowledge.readers.pdf import opened

    pdf = opened(source)
    if not 1 <= number <= len(pdf):
        raise DataError("knowledge.no_page", file=source.name, page=number, pages=len(pdf))
    return paint(pdf, number, width=width)


def paint(pdf: pypdfium2.PdfDocument, number: int, *, width: int) -> Image:
    """A page of an open PDF."""
    page = pdf[number - 1]
    try:
        wide, high = page.get_size()
        scale = min(width / max(wide, 1.0), (MAX_PIXELS / max(wide * high, 1.0)) ** 0.5)
        painted: Image = page.render(scale=scale, may_draw_forms=False).to_pil()
        return painted
    finally:
        page.close()
