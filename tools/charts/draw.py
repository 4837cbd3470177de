"""Draws charts with Pillow alone: enough for charts as reports have them, quick enough to draw while a model trains."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tools.charts.chart import COLOURS, Chart
from tools.charts.styles import Rgb, Style

SIZE = 224  # pixels that margins of styles are given for
RISING: dict[bool, tuple[str, str]] = {False: ("green", "red"), True: ("red", "green")}  # candles up and down


class Canvas:
    """A picture in the making: its drawing, the plot's frame, and from values to pixels."""

    def __init__(self, chart: Chart, style: Style, width: int, height: int, font: Path | None) -> None:
        self.style, self.chart = style, chart
        self.up, self.down = RISING[False]
        self.scale = min(width, height) / SIZE
        self.picture = Image.new("RGB", (width, height), style.paper)
        self.pen = ImageDraw.Draw(self.picture)
        left, top, right, bottom = (round(side * self.scale) for side in style.margin)
        self.left, self.top, self.right, self.bottom = left, top, width - right, height - bottom
        self.font = label_font(max(9, round(11 * min(self.scale, 1.15))), font)

    def y(self, value: float) -> float:
        """Pixels of a value on the vertical axis."""
        share = (value - self.chart.bottom) / (self.chart.top - self.chart.bottom)
        return self.bottom - share * (self.bottom - self.top)

    def slot(self, index: int) -> tuple[float, float]:
        """Centre and width in pixels of the slot of a label."""
        width = (self.right - self.left) / len(self.chart.labels)
        return self.left + (index + 0.5) * width, width

    def text(self, place: tuple[float, float], text: str, anchor: str) -> None:
        self.pen.text(place, text, fill=self.style.ink, font=self.font, anchor=anchor)

    def stroke(self, width: float) -> int:
        return max(1, round(width * self.scale))

    def mixed(self, share: float) -> Rgb:
        """Paper with a share of ink."""
        pairs = zip(self.style.paper, self.style.ink, strict=True)
        red, green, blue = (round(paper + (ink - paper) * share) for paper, ink in pairs)
        return red, green, blue


@cache
def label_font(size: int, path: Path | None = None) -> ImageFont.FreeTypeFont:
    """The font of a file, or Pillow's own, which has Latin letters only."""
    if path is not None:
        return ImageFont.truetype(str(path), size, index=2 if path.suffix == ".ttc" else 0)
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType")
    return font


def draw(
    chart: Chart,
    style: Style,
    chance: random.Random,
    *,
    width: int = SIZE,
    height: int = SIZE,
    font: Path | None = None,
    legend: bool = False,
    red_rises: bool = False,
) -> Image.Image:
    """The picture of a chart, RGB. chance: for the noise; legend: names of series (and of a pie's slices) are written;
    red_rises: candles that close above their opening are red, as in China, and not green.
    """
    canvas = Canvas(chart, style, width, height, font)
    canvas.up, canvas.down = RISING[red_rises]
    if legend:
        _make_room(canvas)
    title = f"{chart.title} ({chart.unit})" if legend and chart.unit and chart.kind != "pie" else chart.title
    canvas.text((width / 2, 12 * canvas.scale), title, "mm")
    if chart.kind in ("pie", "table"):
        {"pie": _pie, "table": _table}[chart.kind](canvas)
    else:
        _axes(canvas)
        {"bar": _bars, "line": _lines, "stacked": _stacks, "candlestick": _candles}[chart.kind](canvas)
    if legend and chart.kind != "table":
        _legend(canvas)
    _speckle(canvas, chance)
    return canvas.picture


def _make_room(canvas: Canvas) -> None:
    """Larger margins: for numbers of any length at the left, and for a line of names under the title."""
    longest = max((canvas.font.getlength(_tick(canvas.chart, quarter)) for quarter in range(5)), default=0)
    canvas.left = max(canvas.left, round(longest) + 10)
    canvas.top += round(14 * canvas.scale)


def _tick(chart: Chart, quarter: int) -> str:
    value = chart.bottom + (chart.top - chart.bottom) * quarter / 4
    return f"{value:,g}"


def _legend(canvas: Canvas) -> None:
    if canvas.chart.kind == "pie":
        names = list(zip(canvas.chart.labels, COLOURS, strict=False))
    else:
        names = [(row.name, row.colour) for row in canvas.chart.series if row.name]
    box = 8 * canvas.scale
    wide = sum(canvas.font.getlength(name) + 2.2 * box for name, _ in names)
    x, y = (canvas.picture.width - wide) / 2, 26 * canvas.scale
    for name, colour in names:
        canvas.pen.rectangle((x, y - box / 2, x + box, y + box / 2), fill=canvas.style.shades[colour])
        canvas.text((x + 1.3 * box, y), name, "lm")
        x += canvas.font.getlength(name) + 2.2 * box


def _axes(canvas: Canvas) -> None:
    pen, faint = canvas.pen, canvas.mixed(0.2)
    for quarter in range(5):
        y = canvas.bottom - (canvas.bottom - canvas.top) * quarter / 4
        if canvas.style.grid and quarter:
            pen.line((canvas.left, y, canvas.right, y), fill=faint, width=canvas.stroke(1))
        canvas.text((canvas.left - 3, y), _tick(canvas.chart, quarter), "rm")
    pen.line((canvas.left, canvas.top, canvas.left, canvas.bottom), fill=canvas.style.ink, width=canvas.stroke(1.5))
    pen.line((canvas.left, canvas.bottom, canvas.right, canvas.bottom), fill=canvas.style.ink, width=canvas.stroke(1.5))
    for index, label in enumerate(canvas.chart.labels):
        canvas.text((canvas.slot(index)[0], canvas.bottom + 3 * canvas.scale), label, "mt")


def _table(canvas: Canvas) -> None:
    """A row for each label, a column for each series."""
    chart, pen = canvas.chart, canvas.pen
    left, right = 12 * canvas.scale, canvas.picture.width - 12 * canvas.scale
    top, high = 30 * canvas.scale, (canvas.picture.height - 42 * canvas.scale) / (len(chart.labels) + 1)
    wide = (right - left) / (len(chart.series) + 1)
    pen.rectangle((left, top, right, top + high), fill=canvas.mixed(0.12))
    for line in range(len(chart.labels) + 2):
        pen.line((left, top + line * high, right, top + line * high), fill=canvas.mixed(0.4))
    for column, row in enumerate(chart.series):
        x = left + (column + 2) * wide - 6
        canvas.text((x, top + high / 2), row.name, "rm")
        for index, value in enumerate(row.values):
            shown = f"{value:,.1f}" if value % 1 else f"{value:,.0f}"
            canvas.text((x, top + (index + 1.5) * high), shown, "rm")
    for index, label in enumerate(chart.labels):
        canvas.text((left + 6, top + (index + 1.5) * high), label, "lm")


def _box(canvas: Canvas, box: tuple[float, float, float, float], colour: str) -> None:
    outline = canvas.style.ink if canvas.style.outline else None
    canvas.pen.rectangle(box, fill=canvas.style.shades[colour], outline=outline)


def _bars(canvas: Canvas) -> None:
    """Bars side by side, one for each series."""
    rows = canvas.chart.series
    for index in range(len(canvas.chart.labels)):
        centre, slot = canvas.slot(index)
        wide = slot * canvas.style.bar_share / len(rows)
        for place, row in enumerate(rows):
            left = centre + (place - len(rows) / 2) * wide
            _box(canvas, (left, canvas.y(row.values[index]), left + wide, canvas.bottom), row.colour)


def _stacks(canvas: Canvas) -> None:
    for index in range(len(canvas.chart.labels)):
        centre, slot = canvas.slot(index)
        half, base = slot * canvas.style.bar_share / 2, 0.0
        for row in canvas.chart.series:
            above = base + row.values[index]
            _box(canvas, (centre - half, canvas.y(above), centre + half, canvas.y(base)), row.colour)
            base = above


def _lines(canvas: Canvas) -> None:
    for row in canvas.chart.series:
        colour = canvas.style.shades[row.colour]
        points = [(canvas.slot(i)[0], canvas.y(value)) for i, value in enumerate(row.values)]
        canvas.pen.line(points, fill=colour, width=canvas.stroke(canvas.style.line_width), joint="curve")
        reach = canvas.stroke(canvas.style.line_width) + 1
        for x, y in points:
            box = (x - reach, y - reach, x + reach, y + reach)
            if canvas.style.marker == "dot":
                canvas.pen.ellipse(box, fill=colour)
            elif canvas.style.marker == "square":
                canvas.pen.rectangle(box, fill=colour)
            elif canvas.style.marker == "ring":
                canvas.pen.ellipse(box, fill=canvas.style.paper, outline=colour, width=canvas.stroke(2))


def _candles(canvas: Canvas) -> None:
    for index, candle in enumerate(canvas.chart.candles):
        centre, slot = canvas.slot(index)
        half = slot * canvas.style.bar_share / 2
        colour = canvas.up if candle.closed > candle.opened else canvas.down
        wick = (centre, canvas.y(candle.high), centre, canvas.y(candle.low))
        canvas.pen.line(wick, fill=canvas.style.shades[colour], width=canvas.stroke(2))
        above, below = max(candle.opened, candle.closed), min(candle.opened, candle.closed)
        _box(canvas, (centre - half, canvas.y(above), centre + half, canvas.y(below)), colour)


def _pie(canvas: Canvas) -> None:
    wide, high = canvas.right - canvas.left, canvas.bottom - canvas.top
    radius = min(wide, high) / 2
    x, y = canvas.left + wide / 2, canvas.top + high / 2
    start, outline = -90.0, canvas.style.ink if canvas.style.outline else canvas.style.paper
    colours = canvas.chart.labels if set(canvas.chart.labels) <= set(COLOURS) else COLOURS
    for colour, share in zip(colours, canvas.chart.series[0].values, strict=False):
        end = start + share * 3.6
        box = (x - radius, y - radius, x + radius, y + radius)
        canvas.pen.pieslice(box, start, end, fill=canvas.style.shades[colour], outline=outline)
        start = end


def _speckle(canvas: Canvas, chance: random.Random) -> None:
    """Specks of the faint ink, as a copier leaves them."""
    width, height = canvas.picture.size
    colour = canvas.mixed(0.45)
    for _ in range(round(canvas.style.noise * width * height / 4)):
        canvas.pen.point((chance.randrange(width), chance.randrange(height)), fill=colour)
