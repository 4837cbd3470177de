"""The part of a page on which a finding rests, as a picture with the place marked."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from metier.core.errors import DataError
from metier.specialists.finance.schema import Finding, Findings, Spot

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH = 1200  # pixels of a page
_MARGIN = 0.022  # of the page's height, above and below what is marked
_SIDE = 0.03
_MOST_HEIGHT = 0.5  # of the page
_MARK = (214, 57, 57)
_PICTURED = ("pdf", "image")


class Crops:
    """Pictures of places in one file. path: of the file; findings: of it."""

    def __init__(self, path: Path, findings: Findings) -> None:
        self.path = path
        self.pictured = findings.kind in _PICTURED
        self._page = cache(self._load)
        self._wide = {one.number: one.place.box for one in findings.exhibits if one.kind == "table" and one.place.box}
        self._made: dict[str, bytes] = {}

    def of(self, finding: Finding) -> bytes | None:
        """A PNG of where a finding stands, None where its file has no pages to look at, or its place is not known."""
        spots = [spot for figure in finding.figures for spot in figure.places if spot.box]
        if finding.place and finding.place.box:
            spots = [spot for spot in spots if spot.page == finding.place.page] or [finding.place]
        table = self._wide.get(finding.exhibit)
        own = table is not None and all(figure.source != "text" for figure in finding.figures)
        return self.around(spots, (table[0], table[2]) if table and own else (0.0, 1.0))

    def around(self, spots: list[Spot], across: tuple[float, float] = (0.0, 1.0)) -> bytes | None:
        """A PNG of places on one page, each marked. across: from where to where, such as a table's edges."""
        spots = [spot for spot in spots if spot.box and spot.page == spots[0].page]
        if not self.pictured or not spots:
            return None
        key = f"{across}|" + "|".join(spot.model_dump_json() for spot in spots)
        if key not in self._made:
            page = self._page(spots[0].page)
            if page is None:
                return None
            self._made[key] = _cut(page, [spot.box for spot in spots if spot.box], across)
        return self._made[key]

    def _load(self, number: int) -> Image | None:
        from PIL import Image

        from metier.knowledge.pagepictures import page_picture

        try:
            return Image.open(io.BytesIO(page_picture(self.path, number, width=WIDTH))).convert("RGB")
        except DataError:
            return None


def _cut(page: Image, boxes: list[tuple[float, float, float, float]], across: tuple[float, float]) -> bytes:
    """The strip of a page around boxes, which are framed."""
    from PIL import ImageDraw

    wide, high = page.size
    top = max(0.0, min(box[1] for box in boxes) - _MARGIN)
    bottom = min(1.0, max(box[3] for box in boxes) + _MARGIN, top + _MOST_HEIGHT)
    marked = page.copy()
    draw = ImageDraw.Draw(marked)
    for left, upper, right, lower in boxes:
        frame = (left * wide - 3, upper * high - 2, right * wide + 3, lower * high + 2)
        draw.rectangle(frame, outline=_MARK, width=2)
    first, last = int(top * high), max(int(bottom * high), int(top * high) + 1)
    left, right = max(_SIDE, across[0] - _SIDE), min(1 - _SIDE, across[1] + _SIDE)
    cut = marked.crop((int(left * wide), first, int(right * wide), last))
    target = io.BytesIO()
    cut.quantize(64).save(target, "PNG", optimize=True)
    return target.getvalue()
