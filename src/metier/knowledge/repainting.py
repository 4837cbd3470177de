"""A stranger's picture made anew: what its file held beside the picture stays behind; runs in the confined child."""

from __future__ import annotations

import io
from pathlib import Path

from metier.data.messages import ImagePart, picture_kind
from metier.data.pictures import open_picture

_JPEG_QUALITY = 95


def repainted(path: Path) -> tuple[bytes, str, int, int]:
    """The picture's new bytes, `png` or `jpeg`, and its width and height, upright.

    What came as JPEG stays JPEG: a photograph as PNG would be many times as large. Raises DataError for what is no
    picture, or more than the limits allow.
    """
    content = path.read_bytes()
    picture = open_picture(ImagePart(data=content))
    kind = "jpeg" if picture_kind(content) == "jpeg" else "png"
    target = io.BytesIO()
    if kind == "jpeg":
        picture.save(target, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    else:
        picture.save(target, "PNG", compress_level=6)
    return target.getvalue(), kind, picture.width, picture.height
