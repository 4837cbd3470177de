"""Small pure functions that draw charts as SVG.

Horizontal positions are percentages of the plot, text keeps its size, so one picture fits a phone and a printed page.
Colours come from the page's style sheet through classes (`base`, `tuned`, `loss`, …), so that they follow the theme.
Labels are given in both languages; the page shows one.
"""

from metier.report.charts.difference import difference_plot, outcome_strip
from metier.report.charts.histogram import histogram
from metier.report.charts.interval import Bar, interval_bars
from metier.report.charts.line import Series, line_chart, smoothed, thinned
from metier.report.charts.scale import nice_ticks

__all__ = [
    "Bar",
    "Series",
    "difference_plot",
    "histogram",
    "interval_bars",
    "line_chart",
    "nice_ticks",
    "outcome_strip",
    "smoothed",
    "thinned",
]
