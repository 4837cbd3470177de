"""Lengths in tokens: how many rows are how long, and where they would be cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from metier.report.charts.scale import Scale, is_number, nice_ticks, tick_text
from metier.report.charts.svg import Text, element, group, label, percent, plot

Bin = tuple[float, float, int]


def bins_of(pairs: Sequence[Sequence[float | None]]) -> list[Bin]:
    """`[upper, count]` pairs as (lower, upper, count), by upper bound; pairs that are not finite are left out."""
    clean = sorted(
        (float(pair[0] or 0.0), int(pair[1] or 0))
        for pair in pairs
        if len(pair) >= 2 and is_number(pair[0]) and is_number(pair[1])
    )
    if not clean:
        return []
    # The first lower bound is not recorded: as wide as the second bin, but not below zero.
    lower = max(0.0, clean[0][0] - (clean[1][0] - clean[0][0])) if len(clean) > 1 else 0.0
    result = []
    for upper, count in clean:
        result.append((lower, upper, max(0, count)))
        lower = upper
    return result


def histogram(
    pairs: Sequence[Sequence[float | None]],
    *,
    x_label: Text,
    y_label: Text,
    mark: float | None = None,
    mark_label: Text | None = None,
    labelled_by: str = "",
    height: int = 180,
) -> Markup:
    """Counts per bin. `mark`: a value to point out (the cut-off). Empty if no bin holds a row.

    Bins of very different widths (1, 2, 4, …) get equal places; others stand on a linear axis.
    """
    bins = bins_of(pairs)
    if not any(count for _, _, count in bins):
        return Markup("")
    mark = float(mark) if mark is not None and is_number(mark) else None
    places = _places(bins, mark)
    ticks = [tick for tick in nice_ticks(0.0, float(max(count for _, _, count in bins)), 4) if tick == int(tick)]
    y_scale = Scale(0.0, ticks[-1])
    drawn = []
    for tick in ticks:
        y = height * (1 - y_scale.percent(tick) / 100)
        drawn.append(element("line", x1=0, x2="100%", y1=y, y2=y, class_="axis" if tick == 0 else "grid"))
        drawn.append(label(tick_text(tick, ticks), x=-8, y=y + 4, class_="tick end"))
    for (_, upper, count), (left, right) in zip(bins, places.bins, strict=True):
        beyond = mark is not None and upper > mark
        drawn.append(_bin(left, right, y_scale.percent(count) / 100, height, beyond))
    drawn += [label(text, x=percent(x), y=height + 18, class_="tick middle") for text, x in places.ticks]
    if places.mark is not None:
        drawn.append(_mark(places.mark, mark_label, height))
    drawn.append(label(y_label, x=0, y=-14, class_="axis-name"))
    drawn.append(label(x_label, x="100%", y=height + 38, class_="axis-name end"))
    return plot(*drawn, height=height, class_="histogram", labelled_by=labelled_by)


def _bin(left: float, right: float, share: float, height: int, beyond: bool) -> Markup:
    inset = (right - left) * 0.06
    return element(
        "rect",
        x=percent(left + inset),
        y=height * (1 - share),
        width=percent(max(0.2, right - left - 2 * inset)),
        height=height * share,
        class_="bin beyond" if beyond else "bin",
    )


def _mark(at: float, text: Text | None, height: int) -> Markup:
    line = element("line", x1=percent(at), x2=percent(at), y1=-6, y2=height, class_="mark")
    if text is None:
        return line
    left = at > 60
    named = label(text, x=percent(at), dx=-6 if left else 6, y=4, class_="mark-label end" if left else "mark-label")
    return group(line, named)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where bins, tick labels and the mark lie, in percent of the plot."""

    bins: list[tuple[float, float]]
    ticks: list[tuple[str, float]]
    mark: float | None


def _places(bins: list[Bin], mark: float | None) -> _Places:
    widths = [upper - lower for lower, upper, _ in bins if upper > lower] or [1.0]
    return _equal_places(bins, mark) if max(widths) > 3 * min(widths) else _linear_places(bins, mark)


def _equal_places(bins: list[Bin], mark: float | None) -> _Places:
    share = 100.0 / len(bins)
    every = -(-len(bins) // 6)
    ticks = [
        (tick_text(upper, [0, 1]), (index + 1) * share)
        for index, (_, upper, _) in enumerate(bins)
        if (len(bins) - 1 - index) % every == 0
    ]
    at = None
    if mark is not None and mark <= bins[-1][1]:
        index = next(index for index, (_, upper, _) in enumerate(bins) if mark <= upper)
        at = (index + Scale(bins[index][0], bins[index][1]).percent(mark) / 100) * share
    return _Places([(index * share, (index + 1) * share) for index in range(len(bins))], ticks, at)


def _linear_places(bins: list[Bin], mark: float | None) -> _Places:
    first, last = bins[0][0], bins[-1][1]
    # A mark a little beyond the longest row is worth the room; one far away would squeeze the picture.
    top = mark * 1.02 if mark is not None and last < mark <= 2 * last else last
    scale = Scale(first, top)
    ticks = [tick for tick in nice_ticks(first, top, 6) if first <= tick <= top]
    return _Places(
        [(scale.percent(lower), scale.percent(upper)) for lower, upper, _ in bins],
        [(tick_text(tick, ticks), scale.percent(tick)) for tick in ticks],
        scale.percent(mark) if mark is not None and first <= mark <= top else None,
    )
