"""Lines over steps: the loss curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from markupsafe import Markup

from metier.report.charts.scale import Scale, is_number, nice_ticks, tick_text
from metier.report.charts.svg import Text, element, group, label, percent, plot

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One line. kind: class for its colour (`raw`, `train`, `eval`); dots: mark every point."""

    name: Text
    points: Sequence[Point]
    kind: str
    dots: bool = False

    def clean(self) -> list[Point]:
        """The points with finite coordinates, by x."""
        return sorted((float(x), float(y)) for x, y in self.points if is_number(x) and is_number(y))


def smoothed(points: Sequence[Point], share: float = 0.06) -> list[Point]:
    """Mean over a window centred on each finite point, `share` of the curve to either side.

    Near the ends the window shrinks on both sides alike, so that the line neither lags behind nor drifts.
    """
    clean = [(x, y) for x, y in points if is_number(x) and is_number(y)]
    sums = [0.0, *accumulate(y for _, y in clean)]
    reach = round(len(clean) * share)
    result: list[Point] = []
    for index, (x, _) in enumerate(clean):
        half = min(reach, index, len(clean) - 1 - index)
        result.append((x, (sums[index + half + 1] - sums[index - half]) / (2 * half + 1)))
    return result


def thinned(points: Sequence[Point], limit: int = 400) -> list[Point]:
    """At most `limit` points: means of equal stretches, the last point kept as it is."""
    if len(points) <= limit:
        return list(points)
    stretches = limit - 1
    result = []
    for index in range(stretches):
        part = points[index * len(points) // stretches : (index + 1) * len(points) // stretches]
        result.append((sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)))
    return [*result, points[-1]]


def line_chart(
    series: Sequence[Series], *, x_label: Text, y_label: Text, labelled_by: str = "", height: int = 260
) -> Markup:
    """Lines with axes and ticks. Points that are not finite are left out; without any, an empty markup."""
    lines = [(one, one.clean()) for one in series]
    xs = [x for _, points in lines for x, _ in points]
    ys = [y for _, points in lines for _, y in points]
    if not xs:
        return Markup("")
    x_ticks, y_ticks = nice_ticks(min(xs), max(xs), 5), nice_ticks(min(ys), max(ys), 5)
    x_scale = Scale(min(xs), max(xs))
    y_scale = Scale(y_ticks[0], y_ticks[-1])
    drawn = [
        *_y_axis(y_ticks, y_scale, height),
        *_x_axis([tick for tick in x_ticks if x_scale.low <= tick <= x_scale.high] or [xs[0]], x_scale, height),
        label(y_label, x=0, y=-14, class_="axis-name"),
        label(x_label, x="100%", y=height + 38, class_="axis-name end"),
        *(_line(one.kind, points, x_scale, y_scale) for one, points in lines if len(points) > 1),
        *(_dots(one, points, x_scale, y_scale, height) for one, points in lines),
    ]
    return plot(*drawn, height=height, class_="line-chart", labelled_by=labelled_by)


def _y_axis(ticks: list[float], scale: Scale, height: int) -> list[Markup]:
    drawn = []
    for tick in ticks:
        y = height * (1 - scale.percent(tick) / 100)
        drawn.append(element("line", x1=0, x2="100%", y1=y, y2=y, class_="grid"))
        drawn.append(label(tick_text(tick, ticks), x=-8, y=y + 4, class_="tick end"))
    return drawn


def _x_axis(ticks: list[float], scale: Scale, height: int) -> list[Markup]:
    drawn = [element("line", x1=0, x2="100%", y1=height, y2=height, class_="axis")]
    for tick in ticks:
        x = percent(scale.percent(tick))
        drawn.append(element("line", x1=x, x2=x, y1=height, y2=height + 5, class_="axis"))
        drawn.append(label(tick_text(tick, ticks), x=x, y=height + 20, class_="tick middle"))
    return drawn


def _line(kind: str, points: list[Point], x_scale: Scale, y_scale: Scale) -> Markup:
    """A line in a stretched inner picture; its stroke is kept from stretching by the style sheet."""
    path = " ".join(f"{10 * x_scale.percent(x):.1f},{1000 - 10 * y_scale.percent(y):.1f}" for x, y in points)
    line = element("polyline", points=path, class_=f"series {kind}")
    return element("svg", line, viewBox="0 0 1000 1000", preserveAspectRatio="none", width="100%", height="100%")


def _dots(series: Series, points: list[Point], x_scale: Scale, y_scale: Scale, height: int) -> Markup:
    shown = points if series.dots or len(points) == 1 else []
    return group(
        *(
            element(
                "circle",
                cx=percent(x_scale.percent(x)),
                cy=height * (1 - y_scale.percent(y) / 100),
                r=3.5,
                class_=f"dot {series.kind}",
            )
            for x, y in shown
        )
    )
