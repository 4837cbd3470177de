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
    page_image(source, number, width=width).save(target, "PNG", compress_level=3)
    return target.getvalue()


def page_image(source: Source, number: int, *, width: int | None = None, long_side: int | None = None) -> Image:
    """A page so many pixels wide, or with its longer side so many long, but never of more than `MAX_PIXELS`.

    Raises DataError for a page that is not there, or a format without pages to look at.
    """
    kind = kind_of(source)
    if kind == "pdf":
        from metier.knowledge.readers.pdf import opened

        pdf = opened(source)
        _check_page(source, number, len(pdf))
        return _paint(pdf, number, width, long_side)
    if kind == "image":
        from metier.knowledge.readers.image import frame, frames

        _check_page(source, number, frames(source))
        image = frame(source, number)
        scale = _scale(image.width, image.height, width, long_side)
        return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    raise DataError("knowledge.no_picture", file=source.name)


def _check_page(source: Source, number: int, pages: int) -> None:
    if not 1 <= number <= pages:
        raise DataError("knowledge.no_page", file=source.name, page=number, pages=pages)


def _paint(pdf: pypdfium2.PdfDocument, number: int, width: int | None, long_side: int | None) -> Image:
    page = pdf[number - 1]
    try:
        wide, high = page.get_size()
        painted: Image = page.render(scale=_scale(wide, high, width, long_side), may_draw_forms=False).to_pil()
        return painted
    finally:
        page.close()


def _scale(wide: float, high: float, width: int | None, long_side: int | None) -> float:
    wide, high = max(wide, 1.0), max(high, 1.0)
    wanted = width / wide if width else (long_side or 1000) / max(wide, high)
    return float(min(wanted, (MAX_PIXELS / (wide * high)) ** 0.5))
