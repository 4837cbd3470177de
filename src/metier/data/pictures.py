"""Pictures opened in one way, wherever they come from: RGB, upright, on white, and never more than the limits allow.

Kinds are known by their first bytes, never by a name. What a picture would cost is read from its header before anything
is unpacked. Of a file that holds several frames or pages none is chosen in silence: it is refused.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.core.errors import DataError
from metier.data.messages import ImagePart, Message, picture_kind
from metier.data.pictureends import second_kind

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MOST_BYTES = 32 << 20  # of one encoded picture
MOST_PIXELS = 50_000_000  # 600 dpi on A4 is 35 million
MOST_SIDE = 20_000
MOST_PICTURES = 100  # in one row
_READERS = {
    "png": "PngImagePlugin:PngImageFile",
    "jpeg": "JpegImagePlugin:JpegImageFile",
    "gif": "GifImagePlugin:GifImageFile",
    "bmp": "BmpImagePlugin:BmpImageFile",
    "tiff": "TiffImagePlugin:TiffImageFile",
    "webp": "WebPImagePlugin:WebPImageFile",
}
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_STORED = re.compile(r"[0-9a-f]{64}")
_ORIENTATION = 0x0112  # the tag of Exif
_LYING = (5, 6, 7, 8)  # orientations that swap width and height
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, OverflowError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """What a picture says of itself. width, height: upright, in pixels; size: encoded bytes."""

    kind: str
    width: int
    height: int
    size: int


def open_picture(part: ImagePart) -> Picture:
    """The picture, unpacked: RGB, upright, transparency on white.

    Raises DataError for what is no picture or more than one, is broken, cut off, too large or somewhere on the web.
    """
    name = picture_name(part)
    content = read_picture(part)
    opened, _ = _checked(content, io.BytesIO(content), len(content), name)
    second = second_kind(content, picture_kind(content) or "")
    if second is not None:
        raise DataError("data.picture_second", picture=name, kind=second)
    try:
        opened.load()
        picture = _on_white(_upright(opened))
        picture.info.clear()  # comments, colour profiles and Exif, which Pillow would write into the next file
        return picture
    except _BROKEN as error:
        raise DataError("data.picture_broken", picture=name, problem=_reason(error)) from error


def open_pictures(messages: Iterable[Message], row: int) -> list[Picture]:
    """All pictures of a row's messages in their order. Errors name the row."""
    opened = []
    for one in messages:
        for part in one.images:
            try:
                opened.append(open_picture(part))
            except DataError as problem:
                raise DataError("data.picture_of_row", row=row, problem=problem) from problem
    return opened


def picture_header(part: ImagePart) -> PictureHeader:
    """Kind and size from the picture's first bytes, without unpacking it. Raises DataError as `open_picture` does."""
    name = picture_name(part)
    if part.path is None:
        content = read_picture(part)
        return _checked(content, io.BytesIO(content), len(content), name)[1]
    try:
        with Path(part.path).open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            start = file.read(1024)
            file.seek(0)
            return _checked(start, file, size, name)[1]
    except OSError as error:
        raise DataError("data.picture_unreadable", picture=name, problem=error.strerror or error) from error


def read_picture(part: ImagePart) -> bytes:
    """The encoded bytes, within the limit. Raises DataError."""
    name = picture_name(part)
    if part.url is not None:
        raise DataError("data.picture_remote", picture=name)
    if part.data is not None:
        content = part.data
    else:
        try:
            with Path(part.path or "").open("rb") as file:
                content = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise DataError("data.picture_unreadable", picture=name, problem=error.strerror or error) from error
    if len(content) > MOST_BYTES:
        raise DataError("data.picture_bytes", picture=name, limit=MOST_BYTES >> 20)
    return content


def picture_name(part: ImagePart) -> str:
    """What errors call the picture: its path or address, or how many bytes it has; of a set's own, its hash begun."""
    if part.path is not None and _STORED.fullmatch(Path(part.path).name):
        return f"{Path(part.path).name[:12]}…"
    return part.path or part.url or f"({len(part.data or b''):,} B)"


def _checked(start: bytes, file: Any, size: int, name: str) -> tuple[Any, PictureHeader]:
    """The picture with only its header read, and what that says. start: at least its first 1,024 bytes."""
    if size > MOST_BYTES:
        raise DataError("data.picture_bytes", picture=name, limit=MOST_BYTES >> 20)
    kind = picture_kind(start)
    if kind is None:
        drawn = b"<svg" in start[:1024].lower()
        raise DataError("data.picture_svg" if drawn else "data.picture_unknown", picture=name)
    from PIL.Image import DecompressionBombError

    try:
        opened = _reader(kind)(file)
        width, height = opened.size
        # Their header is all that was read; Pillow's own limit would come later and as a warning.
        if width * height > MOST_PIXELS or max(width, height) > MOST_SIDE:
            raise DataError(
                "data.picture_pixels",
                picture=name,
                width=width,
                height=height,
                limit=MOST_PIXELS // 1_000_000,
                side=MOST_SIDE,
            )
        if min(width, height) < 1:
            raise ValueError("0 pixels")
        if getattr(opened, "is_animated", False):
            raise DataError("data.picture_frames", picture=name)
        if kind != "tiff" and _orientation(opened.info.get("exif")) in _LYING:  # Pillow turns TIFF by itself
            width, height = height, width
    except (*_BROKEN, DecompressionBombError) as error:
        raise DataError("data.picture_broken", picture=name, problem=_reason(error)) from error
    return opened, PictureHeader(kind, width, height, size)


def _reader(kind: str) -> Any:
    """Pillow's reader of exactly this kind: no other one is tried, so a file is never taken for something else."""
    from importlib import import_module

    module, _, name = _READERS[kind].partition(":")
    return getattr(import_module(f"PIL.{module}"), name)


def _upright(image: Picture) -> Picture:
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    if image.format == "TIFF":
        return image
    turn = turns.get(_orientation(image.info.get("exif")) or 1)
    return image if turn is None else image.transpose(turn)


def _orientation(exif: Any) -> int | None:
    """The orientation that Exif bytes give; a broken Exif gives none, the picture is good without it."""
    from PIL.Image import Exif

    if not isinstance(exif, bytes):
        return None
    read = Exif()
    try:
        read.load(exif)
        value = read.get(_ORIENTATION)
    except Exception:  # whatever a made-up Exif sets off in its parser
        return None
    return value if isinstance(value, int) else None


def _on_white(image: Picture) -> Picture:
    from PIL import Image

    if image.mode in _SIXTEEN_BITS:  # else everything above 255 would be white
        image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(ground, image).convert("RGB")
    return image.convert("RGB")


def _reason(error: BaseException) -> str:
    return str(error)[:200] or type(error).__name__
