"""Pictures in records: from whatever a record holds to parts, and `<image>` placeholders to their places."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from metier.core.errors import DataError
from metier.core.registry import nearest
from metier.core.settings import settings
from metier.data.messages import ImagePart, Message, Part, Role, TextPart
from metier.data.picturefiles import PictureFiles
from metier.data.pictures import MOST_BYTES, MOST_PICTURES, picture_header
from metier.data.rows import RawRow
from metier.data.strictjson import JsonError, parse

PLACEHOLDER = "<image>"
_SHOWN = 200  # characters of a path or address in a message


def image_parts(row: RawRow, field: str, value: Any, pictures: PictureFiles) -> list[ImagePart]:
    """The pictures in `value`: nothing, one, or a list of them. Raises DataError with the record's place."""
    if value is None or value == "":
        return []
    if isinstance(value, str) and value.startswith("["):  # tables hold a list as JSON
        value = _listed(value)
    if not isinstance(value, list):
        return [image_part(row, field, value, pictures)]
    if len(value) > MOST_PICTURES:
        raise row.error("image_many", images=len(value), most=MOST_PICTURES)
    return [image_part(row, field, item, pictures) for item in value]


def image_part(row: RawRow, field: str, value: Any, pictures: PictureFiles) -> ImagePart:
    """One picture: bytes, a `{bytes, path}` record, a `data:` or web address, or a path.

    Its header is looked at: what is no picture, or too large to be one, raises DataError with the record's place.
    """
    if isinstance(value, dict):
        content, path = value.get("bytes"), value.get("path")
        if content is None:
            return image_part(row, field, path, pictures)
        return _looked(
            row, field, ImagePart(data=_base64(row, field, content) if isinstance(content, str) else content)
        )
    if isinstance(value, bytes):
        return _looked(row, field, ImagePart(data=value))
    if not isinstance(value, str) or not value:
        raise row.error("bad_image", field=field, kind=type(value).__name__)
    if value.startswith("data:"):
        return _looked(row, field, ImagePart(data=_of_address(row, field, value)))
    if value.startswith(("http://", "https://")):
        return _looked(row, field, _of_web(row, field, value, pictures))
    path = pictures.find(value)
    if path is None:
        if pictures.named is not None:
            hint = nearest(value, [name.removeprefix(f"{pictures.base}/") for name in pictures.named])
            raise row.error("image_not_sent", field=field, image=value[:_SHOWN], hint=hint)
        raise row.error("image_missing", field=field, image=str(pictures.folder / value)[:_SHOWN])
    return _looked(row, field, ImagePart(path=str(path)))


def _looked(row: RawRow, field: str, part: ImagePart) -> ImagePart:
    try:
        picture_header(part)
    except DataError as problem:
        raise row.error("image_refused", field=field, problem=problem) from problem
    return part


def _of_web(row: RawRow, field: str, url: str, pictures: PictureFiles) -> ImagePart:
    """A picture on the web. A set that knows its own pictures alone is never a reason to fetch one."""
    if pictures.named is not None or not settings().fetch_pictures:
        return ImagePart(url=url)  # refused when it is looked at
    from metier.data.webpictures import fetched_picture

    try:
        return ImagePart(path=str(fetched_picture(url)))
    except DataError as problem:
        raise row.error("image_refused", field=field, problem=problem) from problem


def _listed(text: str) -> Any:
    try:
        value = parse(text)
    except JsonError:
        return text  # a name such as `[1].png`
    return value if isinstance(value, list) else text


def _of_address(row: RawRow, field: str, address: str) -> bytes:
    """The bytes of a `data:` address. Refused by its length before it is taken apart."""
    head, _, text = address.partition(",")
    if head.lower().startswith("data:image/svg"):
        raise row.error("image_refused", field=field, problem=DataError("data.picture_svg", picture=head[:_SHOWN]))
    if not head.lower().endswith(";base64"):
        raise row.error("bad_image", field=field, kind=head[:_SHOWN])
    return _base64(row, field, text)


def _base64(row: RawRow, field: str, text: str) -> bytes:
    if len(text) > MOST_BYTES // 3 * 4 + 4:
        problem = DataError("data.picture_bytes", picture="base64", limit=MOST_BYTES >> 20)
        raise row.error("image_refused", field=field, problem=problem)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise row.error("bad_image", field=field, kind="base64") from error


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
