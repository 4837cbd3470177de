"""K-lines with averages and volume, and trend lines, drawn from a series' points."""

from __future__ import annotations

from collections.abc import Sequence

from metier.report.charts.scale import Scale, nice_ticks, tick_text
from metier.report.findings.drawing import Drawing, Point
from metier.specialists.finance.schema import Exhibit, SeriesPoints

WIDTH, HEIGHT = 960, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 12, 72, 28, 28
_VOLUME = 70  # pixels of the volume's bars
# As Chinese markets colour them: red rises, green falls.
_UP, _DOWN, _GREY, _GRID = "#d14343", "#2f9e64", "#6b7785", "#d5dbe2"
_COLOURS = ("#1f6feb", "#bf8700", "#8250df", "#0a7ea4", "#cf5b00", "#5b6775")


def series_chart(exhibit: Exhibit) -> Drawing | None:
    """The chart of a series: candles where it has prices, else a line a column. None for other exhibits."""
    points = exhibit.points
    if points is None or len(points.labels) < 2:
        return None
    drawing = Drawing(WIDTH, HEIGHT, exhibit.title)
    if points.candles:
        _candles(drawing, points)
    else:
        _lines(drawing, points)
    return drawing


def _candles(drawing: Drawing, points: SeriesPoints) -> None:
    opens, highs, lows, closes = (points.columns[name] for name in points.candles[:4])
    volume = points.columns.get(points.candles[4]) if points.candles[4] else None
    bottom = HEIGHT - _BOTTOM - (_VOLUME + 10 if volume else 0)
    scale = _axis(drawing, [*_known(highs), *_known(lows)], bottom)
    step = (WIDTH - _LEFT - _RIGHT) / len(points.labels)
    most = max(_known(volume), default=1.0) if volume else 1.0
    for place, (opened, high, low, closed) in enumerate(zip(opens, highs, lows, closes, strict=True)):
        if opened is None or high is None or low is None or closed is None:
            continue
        centre = _LEFT + step * (place + 0.5)
        colour = _UP if closed >= opened else _DOWN
        drawing.line([(centre, _y(scale, high, bottom)), (centre, _y(scale, low, bottom))], colour)
        top = _y(scale, max(opened, closed), bottom)
        drawing.bar(centre - step * 0.35, top, step * 0.7, _y(scale, min(opened, closed), bottom) - top, colour)
        if volume and (amount := volume[place]):
            high_as = amount / most * _VOLUME if most else 0
            drawing.bar(centre - step * 0.35, HEIGHT - _BOTTOM - high_as, step * 0.7, high_as, colour)
    for number, (name, track) in enumerate(points.averages.items()):
        _track(drawing, track, scale, bottom, _COLOURS[number])
        drawing.word((_LEFT + 70 * number, 16), name, _COLOURS[number])
    _days(drawing, points.labels)


def _lines(drawing: Drawing, points: SeriesPoints) -> None:
    tracks = list(points.columns.items())[: len(_COLOURS)]
    bottom = HEIGHT - _BOTTOM
    scale = _axis(drawing, [value for _, track in tracks for value in _known(track)], bottom)
    left = float(_LEFT)
    for number, (name, track) in enumerate(tracks):
        _track(drawing, track, scale, bottom, _COLOURS[number], width=1.8)
        drawing.word((left, 16), name, _COLOURS[number])
        left += 24 + sum(13 if ord(one) > 0x2E80 else 7 for one in name)
    _days(drawing, points.labels)


def _track(
    drawing: Drawing, track: Sequence[float | None], scale: Scale, bottom: float, colour: str, *, width: float = 1.2
) -> None:
    """A line that breaks where values are missing."""
    step = (WIDTH - _LEFT - _RIGHT) / len(track)
    part: list[Point] = []
    for place, value in enumerate([*track, None]):
        if value is None:
            drawing.line(part, colour, width)
            part = []
        else:
            part.append((_LEFT + step * (place + 0.5), _y(scale, value, bottom)))


def _axis(drawing: Drawing, values: Sequence[float], bottom: float) -> Scale:
    ticks = nice_ticks(min(values, default=0.0), max(values, default=1.0))
    scale = Scale(ticks[0], ticks[-1])
    for tick in ticks:
        y = _y(scale, tick, bottom)
        drawing.line([(_LEFT, y), (WIDTH - _RIGHT, y)], _GRID, 0.6)
        drawing.word((WIDTH - _RIGHT + 6, y + 4), tick_text(tick, ticks), _GREY)
    return scale


def _days(drawing: Drawing, labels: Sequence[str]) -> None:
    count = min(6, len(labels))
    step = (WIDTH - _LEFT - _RIGHT) / len(labels)
    for number in range(count):
        place = round(number * (len(labels) - 1) / max(1, count - 1))
        anchor = "start" if number == 0 else "end" if number == count - 1 else "middle"
        drawing.word((_LEFT + step * (place + 0.5), HEIGHT - 8), labels[place][:10], _GREY, anchor)


def _y(scale: Scale, value: float, bottom: float) -> float:
    return _TOP + (bottom - _TOP) * (1 - scale.percent(value) / 100)


def _known(track: Sequence[float | None] | None) -> list[float]:
    return [value for value in track or () if value is not None]
