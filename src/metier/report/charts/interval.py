"""Score bars with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from metier.report.charts.scale import Scale, is_number, nice_ticks, tick_text
from metier.report.charts.svg import Text, element, group, label, percent, plot

ROW = 34
THICK = 16


@dataclass(frozen=True, slots=True)
class Bar:
    """One score. kind: class for its colour (`base`, `tuned`); low and high: its interval, if known."""

    name: Text
    value: float | None
    low: float | None = None
    high: float | None = None
    kind: str = "tuned"
    value_text: str = ""


def interval_bars(bars: Sequence[Bar], *, maximum: float, labelled_by: str = "") -> Markup:
    """Bars from zero to `maximum` with whiskers, names above and values at the right. Empty without bars."""
    if not bars:
        return Markup("")
    ticks = nice_ticks(0.0, maximum if is_number(maximum) and maximum > 0 else 1.0, 5)
    scale = Scale(0.0, ticks[-1])
    height = len(bars) * ROW + 4
    drawn = []
    for tick in ticks:
        x = percent(scale.percent(tick))
        drawn.append(element("line", x1=x, x2=x, y1=0, y2=height, class_="grid"))
        drawn.append(label(tick_text(tick, ticks), x=x, y=height + 16, class_="tick middle"))
    drawn += [_bar(bar, scale, index * ROW + (ROW - THICK) / 2 + 2) for index, bar in enumerate(bars)]
    drawn.append(element("line", x1=0, x2=0, y1=0, y2=height, class_="axis"))
    return plot(*drawn, height=height, class_="interval-bars", labelled_by=labelled_by)


def _bar(bar: Bar, scale: Scale, top: float) -> Markup:
    middle = top + THICK / 2
    name = label(bar.name, x=-10, y=middle + 4, class_="bar-name end")
    if not is_number(bar.value):
        return group(name, label("—", x=8, y=middle + 4, class_="tick"))
    value = float(bar.value or 0.0)
    drawn = [
        name,
        element("rect", x=0, y=top, width=percent(scale.percent(value)), height=THICK, rx=2, class_=f"bar {bar.kind}"),
    ]
    if is_number(bar.low) and is_number(bar.high):
        drawn.append(whisker(scale.percent(bar.low or 0.0), scale.percent(bar.high or 0.0), middle, 4, bar.kind))
    drawn.append(label(bar.value_text or f"{value:.3g}", x="100%", dx=12, y=middle + 4, class_="bar-value"))
    return group(*drawn)


def whisker(low: float, high: float, y: float, half: float, kind: str) -> Markup:
    """An interval from `low` to `high` percent at height `y` with caps of `2 * half` pixels."""
    left, right = percent(low), percent(high)
    return group(
        element("line", x1=left, x2=right, y1=y, y2=y, class_=f"whisker {kind}"),
        element("line", x1=left, x2=left, y1=y - half, y2=y + half, class_=f"whisker {kind}"),
        element("line", x1=right, x2=right, y1=y - half, y2=y + half, class_=f"whisker {kind}"),
    )
