"""Pictures: every kind opens alike, and what is none, broken or too large is refused by a sentence."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from metier.core.errors import DataError
from metier.data import ImagePart, Message, message
from metier.data.pictures import open_picture, open_pictures, picture_header


def encoded(kind: str, image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def two_coloured() -> Image.Image:
    """40 × 20, red on the left and blue on the right."""
    image = Image.new("RGB", (40, 20), (250, 0, 0))
    image.paste((0, 0, 250), (20, 0, 40, 20))
    return image


def tall_png(width: int, height: int) -> bytes:
    """A PNG of which only the header is true."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_every_kind_opens_as_rgb_and_its_header_knows_the_size(kind: str, tmp_path: Path) -> None:
    content = encoded(kind, two_coloured())
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    for part in (ImagePart(data=content), ImagePart(path=str(path))):
        image, header = open_picture(part), picture_header(part)
        assert (image.mode, image.size) == ("RGB", (40, 20))
        assert (header.kind, header.width, header.height, header.size) == (kind.lower(), 40, 20, len(content))
        red, _, blue = image.getpixel((5, 10))  # type: ignore[misc]
        assert red > 200 > 60 > blue


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_lying_picture_is_put_upright(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to see it upright
    part = ImagePart(data=encoded(kind, two_coloured(), exif=exif))
    image = open_picture(part)
    assert image.size == (20, 40) == (picture_header(part).width, picture_header(part).height)
    assert image.getpixel((10, 5))[0] > 200  # type: ignore[index]  # left became top


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_lies_on_white(mode: str) -> None:
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    options = {}
    if mode == "P":
        clear, options = Image.new("P", (4, 4), 0), {"transparency": 0}
    else:
        clear = clear.convert(mode)
    assert open_picture(ImagePart(data=encoded("PNG", clear, **options))).getpixel((1, 1)) == (255, 255, 255)


def test_sixteen_bits_of_grey_keep_their_shades() -> None:
    image = Image.new("I;16", (4, 4), 32896)
    assert open_picture(ImagePart(data=encoded("PNG", image))).getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_cut_picture_is_refused_with_its_row(kind: str) -> None:
    noise = Image.effect_noise((200, 200), 80).convert("RGB")
    content = encoded(kind, noise)
    part = ImagePart(data=content[: len(content) // 2])
    with pytest.raises(DataError, match="Row 7") as caught:
        open_pictures([Message("user", (part,)), message("assistant", "x")], 7)
    assert caught.value.fields["problem"].key == "data.picture_broken"


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    return encoded(kind, frames[0], save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "picture_unknown"),
        (b"not a picture", "picture_unknown"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "picture_svg"),
        (tall_png(100_000, 100_000), "picture_pixels"),
        (tall_png(30_000, 10), "picture_pixels"),
        (tall_png(0, 10), "picture_broken"),
        (b"\x89PNG\r\n\x1a\n", "picture_broken"),
        (animated("GIF"), "picture_frames"),
        (animated("PNG"), "picture_frames"),
        (animated("WEBP"), "picture_frames"),
        (animated("TIFF"), "picture_frames"),
    ],
)  # fmt: skip
def test_what_is_no_single_picture_is_refused_by_name(content: bytes, key: str) -> None:
    for look in (open_picture, picture_header):
        with pytest.raises(DataError) as caught:
            look(ImagePart(data=content))
        assert caught.value.key == f"data.{key}"
        assert str(caught.value) != key


def test_addresses_and_absent_files_are_refused(tmp_path: Path) -> None:
    for part, key in ((ImagePart(url="https://example.org/a.png"), "remote"), (ImagePart(path=str(tmp_path)), "unrea")):
        for look in (open_picture, picture_header):
            with pytest.raises(DataError) as caught:
                look(part)
            assert caught.value.key.startswith(f"data.picture_{key}")
