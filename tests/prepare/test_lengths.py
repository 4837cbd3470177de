"""Lengths as figures."""

from __future__ import annotations

import pytest

from metier.prepare.lengths import length_counts


def test_figures_of_a_few_lengths() -> None:
    counts = length_counts([1, 2, 3, 10])
    assert (counts["total"], counts["mean"], counts["max"]) == (16, 4.0, 10)


def test_nothing_has_an_empty_histogram() -> None:
    assert length_counts([]) == {"total": 0, "mean": 0.0, "max": 0, "histogram": []}


@pytest.mark.parametrize("lengths", [[0], [5] * 9, list(range(1000)), [10] * 500 + [9999], [1, 10**6]])
def test_each_length_is_in_the_bin_whose_upper_bound_holds_it(lengths: list[int]) -> None:
    pairs = length_counts(lengths)["histogram"]
    uppers = [upper for upper, _ in pairs]
    assert sum(count for _, count in pairs) == len(lengths)
    assert uppers == sorted(set(uppers))
    assert max(lengths) <= uppers[-1]
    below = 0
    for upper, count in pairs:
        below += count
        assert below == sum(length <= upper for length in lengths)


def test_a_few_very_long_rows_share_the_last_bin() -> None:
    pairs = length_counts([*range(1, 1001), 100_000])["histogram"]
    assert pairs[-1] == [100_000, 1]
    assert len(pairs) < 30
