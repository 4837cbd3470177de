"""A small drawing of lines, bars and words that becomes SVG for pages and PNG for Word."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from metier.report.charts.svg import element, group

Point = tuple[float, float]
SIZE = 12  # pixels of words


@dataclass(frozen=True, slots=True)
class _Line:
    points: tuple[Point, ...]
    colour: str
    width: float


@dataclass(frozen=True, slots=True)
class _Bar:
    left: float
    top: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class _Word:
    at: Point
    text: str
    colour: str
    anchor: str


@dataclass(slots=True)
class Drawing:
    """Lines, bars and words in pixels from the upper left corner."""

    width: int
    height: int
    title: str = ""
    _parts: list[_Line | _Bar | _Word] = field(default_factory=list)

    def line(self, points: Sequence[Point], colour: str, width: float = 1.0) -> None:
        """A line through points; fewer than two draw nothing."""
        if len(points) > 1:
            self._parts.append(_Line(tuple(points), colour, width))

    def bar(self, left: float, top: float, width: float, height: float, colour: str) -> None:
        """A filled rectangle, at least a pixel high."""
        self._parts.append(_Bar(left, top, max(width, 0.6), max(height, 1.0), colour))

    def word(self, at: Point, text: str, colour: str, anchor: str = "start") -> None:
        """Words whose baseline begins, is centred or ends (`start`, `middle`, `end`) at a point."""
        self._parts.append(_Word(at, text, colour, anchor))

    def svg(self) -> Markup:
        """The drawing as one `svg` element, as wide as its place."""
        made = [_svg(part) for part in self._parts]
        box = f"0 0 {self.width} {self.height}"
        return element(
            "svg", element("title", self.title), group(*made), viewBox=box, width="100%", role="img", class_="chart"
        )

    def png(self) -> bytes:
        """The drawing on white, twice as fine as its pixels."""
        from PIL import Image, ImageDraw, ImageFont

        image = Image.new("RGB", (self.width * 2, self.height * 2), "white")
        pen = ImageDraw.Draw(image)
        font = ImageFont.load_default(SIZE * 2)
        for part in self._parts:
            if isinstance(part, _Line):
                pen.line(
                    [(x * 2, y * 2) for x, y in part.points], fill=part.colour, width=max(1, round(part.width * 2))
                )
            elif isinstance(part, _Bar):
                right, bottom = part.left + part.width, part.top + part.height
                pen.rectangle((part.left * 2, part.top * 2, right * 2, bottom * 2), fill=part.colour)
            else:
                anchor = {"start": "ls", "middle": "ms", "end": "rs"}[part.anchor]
                # The font that is always there has no Chinese.
                text = part.text.encode("ascii", "ignore").decode().strip()
                pen.text((part.at[0] * 2, part.at[1] * 2), text, fill=part.colour, font=font, anchor=anchor)
        target = io.BytesIO()
        image.quantize(64).save(target, "PNG", optimize=True)
        return target.getvalue()


def _svg(part: _Line | _Bar | _Word) -> Markup:
    if isinstance(part, _Line):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in part.points)
        return element("polyline", points=points, fill="none", stroke=part.colour, stroke_width=part.width)
    if isinstance(part, _Bar):
        return element("rect", x=part.left, y=part.top, width=part.width, height=part.height, fill=part.colour)
    x, y = part.at
    return element("text", part.text, x=x, y=y, fill=part.colour, text_anchor=part.anchor, font_size=SIZE)
