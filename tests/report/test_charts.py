from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from metier.report.charts import (
    Bar,
    Series,
    difference_plot,
    histogram,
    interval_bars,
    line_chart,
    nice_ticks,
    outcome_strip,
    smoothed,
    thinned,
)
from metier.report.charts.difference import direction

NAN, INFINITE = math.nan, math.inf
BOTH = {"en": "steps & more", "zh": "步 <数>"}


def parsed(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup)  # noqa: S314 - our own markup


def lines(points: list[tuple[float, float]], **options: object) -> str:
    return str(line_chart([Series(BOTH, points, "train")], x_label=BOTH, y_label=BOTH, **options))


def bins(pairs: list[list[float]], mark: float | None = None) -> str:
    return str(histogram(pairs, x_label=BOTH, y_label=BOTH, mark=mark, mark_label=BOTH))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.25, 0.5, 0.75, 1]), (0, 97, [0, 25, 50, 75, 100]), (-0.1, 0.3, [-0.1, 0, 0.1, 0.2, 0.3])],
)
def test_ticks_are_round_and_cover_the_range(low: float, high: float, expected: list[float]) -> None:
    assert nice_ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("low", "high"), [(3, 3), (0, 0), (5, 2), (NAN, 1), (0, INFINITE), (1e9, 1e9), (1e-12, 2e-12), (-1e300, 1e300)]
)
def test_ticks_of_a_broken_or_empty_range_are_still_an_axis(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 12
    assert ticks == sorted(set(ticks))


@pytest.mark.parametrize("points", [[], [(NAN, 1.0)], [(1.0, INFINITE), (2.0, NAN)]])
def test_a_line_without_a_finite_point_is_not_drawn(points: list[tuple[float, float]]) -> None:
    assert lines(points) == ""


def test_a_single_point_is_drawn_as_a_dot() -> None:
    svg = parsed(lines([(10.0, 0.5)]))
    assert len(svg.findall(".//circle")) == 1
    assert svg.find(".//polyline") is None


def test_points_that_are_not_finite_are_left_out_of_a_line() -> None:
    path = parsed(lines([(1.0, 2.0), (2.0, NAN), (3.0, 1.0)])).find(".//polyline")
    assert path is not None
    assert len(path.attrib["points"].split()) == 2
    assert "nan" not in path.attrib["points"]


def test_labels_are_there_in_both_languages_and_escaped() -> None:
    texts = parsed(lines([(1.0, 2.0), (3.0, 1.0)])).findall(".//text")
    by_class = {text.attrib["class"].split()[0]: text.text for text in texts if text.text in BOTH.values()}
    assert by_class == BOTH


def test_a_chart_is_named_by_the_element_that_it_is_told() -> None:
    svg = parsed(lines([(1.0, 2.0)], labelled_by="loss"))
    assert svg.attrib["aria-labelledby"] == "loss"
    assert svg.attrib["role"] == "img"


def test_smoothing_keeps_a_straight_line_straight() -> None:
    straight = [(float(x), 2.0 * x) for x in range(100)]
    assert [y for _, y in smoothed(straight)] == pytest.approx([y for _, y in straight])


def test_smoothing_does_not_lag_behind_a_fall() -> None:
    fall = [(float(x), math.exp(-x / 20)) for x in range(160)]
    assert all(abs(y - wanted) < 0.05 for (_, y), (_, wanted) in zip(smoothed(fall), fall, strict=True))


def test_thinning_keeps_the_last_point_and_the_limit() -> None:
    many = [(float(x), float(x % 7)) for x in range(10_000)]
    few = thinned(many, 300)
    assert len(few) == 300
    assert few[-1] == many[-1]


def test_bars_end_at_their_share_of_the_scale() -> None:
    svg = parsed(str(interval_bars([Bar(BOTH, 0.86, 0.78, 0.92)], maximum=1)))
    rect = svg.find(".//rect")
    assert rect is not None
    assert rect.attrib["width"] == "86%"
    assert len(svg.findall(".//line[@class='whisker tuned']")) == 3


@pytest.mark.parametrize("value", [None, NAN, INFINITE])
def test_a_bar_without_a_value_shows_a_dash(value: float | None) -> None:
    markup = str(interval_bars([Bar(BOTH, value, NAN, None)], maximum=NAN))
    assert "—" in markup
    assert "nan" not in markup.lower()
    assert "<rect" not in markup


def test_a_value_beyond_the_scale_stays_in_the_picture() -> None:
    rect = parsed(str(interval_bars([Bar(BOTH, 250.0)], maximum=100))).find(".//rect")
    assert rect is not None
    assert rect.attrib["width"] == "100%"


def test_the_difference_always_shows_zero() -> None:
    assert 'class="zero"' in difference_plot(34.5, 29.0, 39.0)
    assert 'class="zero"' in difference_plot(-3.0, -4.0, -2.0)


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.1, 0.3, "gain"), (-0.3, -0.1, "drop"), (-0.1, 0.2, "unclear"), (0, 0.2, "unclear")]
)
def test_only_an_interval_beside_zero_has_a_direction(low: float, high: float, expected: str) -> None:
    assert direction(low, high) == expected


@pytest.mark.parametrize("interval", [(None, None), (NAN, NAN), (0.0, 0.0)])
def test_a_difference_without_an_interval_is_a_point_of_no_direction(interval: tuple[float, float]) -> None:
    markup = str(difference_plot(0.0, *interval))
    assert "dot unclear" in markup
    assert "nan" not in markup.lower()


def test_no_difference_no_picture() -> None:
    assert difference_plot(None, 0.1, 0.2) == ""
    assert difference_plot(NAN, 0.1, 0.2) == ""


def test_the_strip_is_shared_by_wins_ties_and_losses() -> None:
    rects = parsed(str(outcome_strip(70, 27, 3))).findall("rect")
    assert [rect.attrib["width"] for rect in rects] == ["70%", "27%", "3%"]
    assert outcome_strip(0, 0, 0) == ""


@pytest.mark.parametrize("pairs", [[], [[10, 0]], [[NAN, 4]], [[None, 3]], [[5]]])
def test_a_histogram_without_rows_is_not_drawn(pairs: list[list[float]]) -> None:
    assert bins(pairs) == ""


def test_bins_of_even_width_stand_on_a_linear_axis() -> None:
    rects = parsed(bins([[8, 2], [16, 6], [24, 3]])).findall("rect")
    assert [float(rect.attrib["height"]) for rect in rects] == pytest.approx([60, 180, 90])


def test_bins_that_double_get_equal_places_and_the_mark_lies_between() -> None:
    svg = parsed(bins([[16, 1], [32, 5], [64, 9], [128, 2]], mark=48))
    mark = svg.find(".//line[@class='mark']")
    assert mark is not None
    assert mark.attrib["x1"] == "62.5%"


def test_rows_beyond_the_cut_are_marked() -> None:
    assert bins([[50, 9], [100, 4], [150, 2]], mark=100).count("bin beyond") == 1


def test_a_far_away_cut_does_not_squeeze_the_histogram() -> None:
    markup = bins([[50, 9], [100, 4]], mark=2048)
    assert 'class="mark"' not in markup
