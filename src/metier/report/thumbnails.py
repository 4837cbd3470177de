"""Small pictures of the rows that are shown, inside the page: made anew from what the predict step was asked about.

A picture is found by its row in the set that the step read, never by a path that a file of predictions names, and only
if it is the very one that was asked about.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.core.errors import UserError
from metier.data.messages import ImagePart
from metier.report.inputs import Inputs, step_facts

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MOST = 12  # pictures in a page
MOST_OF_ROW = 3
WIDEST, HIGHEST = 420, 420  # pixels
_BYTES = 90_000
_QUALITIES = (82, 60, 40)


class Thumbnails:
    """Hands out pictures as data URLs until the page has enough. A set is opened when the first picture is wanted."""

    def __init__(self, inputs: Inputs) -> None:
        self._folder = inputs.paths.get("predict_base") or inputs.paths.get("predict_tuned")
        self._rows: dict[int, tuple[ImagePart, ...]] | None = None
        self._left = MOST

    def of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """`shown`: data URL, width and height of each picture; `left_out`: how many of the row's are not there."""
        names = [one for one in row.get("images") or [] if isinstance(one, str)]
        shown: list[dict[str, Any]] = []
        for place, name in enumerate(names[:MOST_OF_ROW]):
            if self._left and (found := self._thumbnail(row.get("row"), place, name)):
                shown.append(found)
                self._left -= 1
        return {"shown": shown, "left_out": len(names) - len(shown)}

    def _thumbnail(self, number: Any, place: int, name: str) -> dict[str, Any] | None:
        from metier.data.pictures import open_picture, read_picture

        parts = self._parts().get(number, ()) if isinstance(number, int) else ()
        if place >= len(parts):
            return None
        part = parts[place]
        try:
            if name not in (part.path, hashlib.sha256(read_picture(part)).hexdigest()):
                return None
            return _small(open_picture(part))
        except UserError:
            return None  # gone or broken since: the page says that a picture is missing

    def _parts(self) -> dict[int, tuple[ImagePart, ...]]:
        """The pictures of each row's question."""
        if self._rows is None:
            self._rows = {}
            # The set may not be here any more, or the answers are somebody else's.
            with contextlib.suppress(UserError, OSError, TypeError, ValueError):
                self._rows = _pictures(self._folder)
        return self._rows


def _pictures(folder: Path | None) -> dict[int, tuple[ImagePart, ...]]:
    from metier.data import load_dataset

    spec = step_facts(folder, "predict").spec if folder is not None else {}
    if not spec.get("dataset"):
        return {}
    dataset = load_dataset(
        spec["dataset"],
        dataset_dir=Path(spec["dataset_dir"]) if spec.get("dataset_dir") else None,
        columns=spec.get("columns"),
        max_samples=spec.get("max_samples"),
        require_answers=False,
        skip_bad_rows=bool(spec.get("skip_bad_rows")),
    )
    return {one.row: tuple(part for turn in one.prompt for part in turn.images) for one in dataset.conversations}


def _small(picture: Picture) -> dict[str, Any]:
    width, height = picture.size
    scale = min(1.0, WIDEST / width, HIGHEST / height)
    if scale < 1.0:
        picture = picture.resize((max(1, round(width * scale)), max(1, round(height * scale))))
    kind, content = _encoded(picture)
    url = f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
    return {"url": url, "width": picture.width, "height": picture.height}


def _encoded(picture: Picture) -> tuple[str, bytes]:
    """As PNG where that is small (drawings), else as JPEG."""
    target = io.BytesIO()
    picture.save(target, "PNG", optimize=True)
    if target.tell() <= _BYTES // 3:
        return "png", target.getvalue()
    for quality in _QUALITIES:
        target = io.BytesIO()
        picture.save(target, "JPEG", quality=quality, optimize=True)
        if target.tell() <= _BYTES:
            break
    return "jpeg", target.getvalue()
