"""Messages as lines of the chat's process carry them: a picture goes as the path of its file, or whole."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from metier.core.errors import DataError
from metier.data.messages import ImagePart, Message, Part, TextPart
from metier.data.pictures import picture_name


def to_wire(messages: Iterable[Message]) -> list[list[Any]]:
    """`[role, parts]` each; a part is a text, `{"path"}` or `{"data"}` in base64. Raises DataError for an address on
    the web: nothing is fetched for a model."""
    return [[one.role, [_part_to_wire(part) for part in one.parts]] for one in messages]


def from_wire(said: Iterable[list[Any]]) -> list[Message]:
    """The messages again."""
    return [Message(role, tuple(_part_from_wire(part) for part in parts)) for role, parts in said]


def _part_to_wire(part: Part) -> str | dict[str, str]:
    if isinstance(part, TextPart):
        return part.text
    if part.path is not None:
        return {"path": part.path}
    if part.data is None:
        raise DataError("data.picture_remote", picture=picture_name(part))
    return {"data": base64.b64encode(part.data).decode("ascii")}


def _part_from_wire(part: str | dict[str, str]) -> Part:
    if isinstance(part, str):
        return TextPart(part)
    return ImagePart(path=part["path"]) if "path" in part else ImagePart(data=base64.b64decode(part["data"]))
