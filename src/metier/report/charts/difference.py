"""The gain with its interval, and how many rows went which way."""

from __future__ import annotations

from markupsafe import Markup

from metier.report.charts.interval import whisker
from metier.report.charts.scale import Scale, finite, is_number, nice_ticks, tick_text
from metier.report.charts.svg import element, label, percent, plot


def difference_plot(
    difference: float | None, low: float | None, high: float | None, *, labelled_by: str = "", height: int = 44
) -> Markup:
    """A point with its interval on an axis that always shows zero. Empty if the difference is not a finite number."""
    if not is_number(difference):
        return Markup("")
    value = float(difference or 0.0)
    known = finite([value, low, high])
    reach = max(abs(one) for one in known) or 0.1
    scale = Scale(min(0.0, *known) - 0.1 * reach, max(0.0, *known) + 0.1 * reach)
    ticks = [tick for tick in nice_ticks(scale.low, scale.high, 5) if scale.low <= tick <= scale.high]
    middle, zero = height / 2, percent(scale.percent(0.0))
    kind = direction(low, high)
    drawn = [
        element("line", x1=0, x2="100%", y1=height, y2=height, class_="axis"),
        element("line", x1=zero, x2=zero, y1=0, y2=height, class_="zero"),
    ]
    for tick in ticks:
        x = percent(scale.percent(tick))
        drawn.append(element("line", x1=x, x2=x, y1=height, y2=height + 4, class_="axis"))
        drawn.append(
            label(("+" if tick > 0 else "") + tick_text(tick, ticks), x=x, y=height + 18, class_="tick middle")
        )
    if is_number(low) and is_number(high):
        left, right = scale.percent(low or 0.0), scale.percent(high or 0.0)
        width = percent(max(0.0, right - left))
        drawn.append(
            element("rect", x=percent(left), y=middle - 7, width=width, height=14, rx=3, class_=f"band {kind}")
        )
        drawn.append(whisker(left, right, middle, 7, kind))
    drawn.append(element("circle", cx=percent(scale.percent(value)), cy=middle, r=5, class_=f"dot {kind}"))
    return plot(*drawn, height=height, class_="difference", labelled_by=labelled_by)


def direction(low: float | None, high: float | None) -> str:
    """`gain` if the whole interval lies above zero, `drop` if below, else `unclear`."""
    if is_number(low) and (low or 0.0) > 0:
        return "gain"
    if is_number(high) and (high or 0.0) < 0:
        return "drop"
    return "unclear"


def outcome_strip(wins: int, ties: int, losses: int, *, labelled_by: str = "") -> Markup:
    """One strip, shared by the rows that got better, stayed equal and got worse. Empty without rows."""
    total = wins + ties + losses
    if total <= 0:
        return Markup("")
    drawn, start = [], 0.0
    for count, kind in ((wins, "win"), (ties, "tie"), (losses, "loss")):
        share = 100.0 * count / total
        if count:
            drawn.append(
                element("rect", x=percent(start), y=0, width=percent(share), height=10, class_=f"outcome {kind}")
            )
        start += share
    return plot(*drawn, height=10, class_="outcomes", labelled_by=labelled_by)
