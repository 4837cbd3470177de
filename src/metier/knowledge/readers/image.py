"""Pictures: each frame is a page, and its text is what OCR sees on it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from metier.core.errors import DataError
from metier.knowledge.draft import MAX_PAGES, Draft
from metier.knowledge.readers import Emit, Source
from metier.knowledge.seen import page_seen
from metier.knowledge.writing import write

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 100_000_000
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")


def read(source: Source, draft: Draft, emit: Emit) -> str:
    """Adds a page for each frame, with the text that was seen on it."""
    count = frames(source)
    if count > MAX_PAGES:
        raise DataError("knowledge.too_many_pages", file=source.name, limit=MAX_PAGES)
    emit({"event": "progress", "step": 0, "total": count})
    write([page_seen(source, number, None, None) for number in range(1, count + 1)], draft)
    return ""


def frames(source: Source) -> int:
    """How many pictures the file holds."""
    return int(getattr(_opened(source), "n_frames", 1))


def frame(source: Source, number: int) -> Image:
    """A picture of the file, upright, on white."""
    from PIL import Image, ImageOps

    image = _opened(source)
    try:
        image.seek(number - 1)
        image = ImageOps.exif_transpose(image)
        if image.mode in ("RGBA", "LA", "P", "PA"):
            image = image.convert("RGBA")
            ground = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(ground, image)
        return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise DataError("knowledge.reading_damaged", file=source.name, problem=error) from error


def _opened(source: Source) -> Image:
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # our own limit is asked before anything is unpacked
    try:
        image = Image.open(io.BytesIO(source.content), formats=FORMATS)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise DataError("knowledge.reading_damaged", file=source.name, problem="no PNG, JPEG, TIFF, WebP") from error
    if image.width * image.height > MAX_PIXELS:
        raise DataError("knowledge.picture_too_large", file=source.name, limit=MAX_PIXELS // 1_000_000)
    return image
