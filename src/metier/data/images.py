"""Pictures in records: from whatever a record holds to parts, and `<image>` placeholders to their places."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metier.data.messages import ImagePart, Message, Part, Role, TextPart, picture_kind
from metier.data.rows import RawRow

PLACEHOLDER = "<image>"


def image_parts(row: RawRow, field: str, value: Any, folder: Path) -> list[ImagePart]:
    """The pictures in `value`: nothing, one, or a list of them. Raises DataError with the record's place."""
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [image_part(row, field, item, folder) for item in value]
    return [image_part(row, field, value, folder)]


def image_part(row: RawRow, field: str, value: Any, folder: Path) -> ImagePart:
    """One picture: bytes, a `{bytes, path}` record, a `data:` or web address, or a path (relative: below `folder`)."""
    if isinstance(value, dict):
        content, path = value.get("bytes"), value.get("path")
        if content is None:
            return image_part(row, field, path, folder)
        return _from_bytes(row, field, _base64(row, field, content) if isinstance(content, str) else content)
    if isinstance(value, bytes):
        return _from_bytes(row, field, value)
    if not isinstance(value, str) or not value:
        raise row.error("bad_image", field=field, kind=type(value).__name__)
    if value.startswith("data:"):
        return _from_bytes(row, field, _base64(row, field, value.partition(",")[2]))
    if value.startswith(("http://", "https://")):
        return ImagePart(url=value)
    path = folder / value
    if not path.is_file():
        raise row.error("image_missing", field=field, image=path)
    return ImagePart(path=str(path))


def _base64(row: RawRow, field: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise row.error("bad_image", field=field, kind="base64") from error


def _from_bytes(row: RawRow, field: str, content: bytes) -> ImagePart:
    if picture_kind(content) is None:
        raise row.error("bad_image", field=field, kind=f"{len(content)} bytes")
    return ImagePart(data=content)


def place_images(row: RawRow, turns: Sequence[tuple[Role, str]], images: list[ImagePart]) -> list[Message]:
    """Messages in which each `<image>` became the next picture.

    Without any placeholder the pictures stand before the first user text. Raises DataError if the counts differ.
    """
    wanted = sum(text.count(PLACEHOLDER) for _, text in turns)
    if wanted == 0 and images:
        first = next((index for index, (role, _) in enumerate(turns) if role == "user"), 0)
        turns = [
            (role, PLACEHOLDER * len(images) * (index == first) + text) for index, (role, text) in enumerate(turns)
        ]
    elif wanted != len(images):
        raise row.error("image_count", placeholders=wanted, images=len(images))
    remaining = iter(images)
    return [Message(role, _split(text, remaining)) for role, text in turns]


def _split(text: str, remaining: Any) -> tuple[Part, ...]:
    parts: list[Part] = []
    for index, piece in enumerate(text.split(PLACEHOLDER)):
        if index:
            parts.append(next(remaining))
        if piece:
            parts.append(TextPart(piece))
    return tuple(parts) or (TextPart(""),)
