"""What is known of a set's pictures: how many and how large by their headers, and, where asked, that each opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from metier.core.errors import DataError
from metier.data import Conversation, ImagePart
from metier.data.pictures import open_picture, picture_header, picture_name
from metier.prepare.progress import Progress
from metier.rendering import Renderer


def pictures_shown(row: Conversation, renderer: Renderer | None = None) -> list[dict[str, Any]]:
    """A row's pictures in order: {name, width, height, size, tokens, beside}; size: bytes; tokens: those that stand for
    it in the row; beside: what looking at it takes in tokens apart from them. Both None without a renderer."""
    eyes = renderer.eyes if renderer else None
    shown = []
    for part in _pictures(row):
        header = picture_header(part)
        shown.append(
            {
                "name": picture_name(part),
                "width": header.width,
                "height": header.height,
                "size": header.size,
                "tokens": None if renderer is None else renderer.image_tokens([part]),
                "beside": None if renderer is None else eyes.cost(1) if eyes else 0,
            }
        )
    return shown


def picture_facts(rows: Sequence[Conversation]) -> dict[str, Any] | None:
    """{rows, pictures, bytes, largest}, by the headers; None for a set without pictures.

    largest: {row, width, height} of the picture with the most pixels.
    """
    pictured = [(row, [picture_header(part) for part in _pictures(row)]) for row in rows]
    headers = [(row.row, header) for row, found in pictured for header in found]
    if not headers:
        return None
    number, largest = max(headers, key=lambda one: one[1].width * one[1].height)
    return {
        "rows": sum(bool(found) for _, found in pictured),
        "pictures": len(headers),
        "bytes": sum(header.size for _, header in headers),
        "largest": {"row": number, "width": largest.width, "height": largest.height},
    }


def unopened(rows: Sequence[Conversation], progress: Progress) -> list[dict[str, Any]]:
    """{row, problem} of each row with a picture that does not open. Unpacks every picture."""
    found = []
    for row in progress.over(rows, "pictures"):
        for part in _pictures(row):
            try:
                open_picture(part)
            except DataError as problem:
                found.append({"row": row.row, "problem": str(problem)})
                break
    return found


def _pictures(row: Conversation) -> list[ImagePart]:
    return [part for turn in row.messages for part in turn.images]
