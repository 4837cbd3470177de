"""Which rows a step learns from, and how they are laid out."""

from __future__ import annotations

import random
from itertools import chain

import pytest

from metier.train.plan import RowOrder, pack, pad, share


def test_each_epoch_sees_every_row_once_in_an_order_of_its_own() -> None:
    order = RowOrder(rows=10, rows_per_step=4, seed=1)
    first, second = order.epoch(0), order.epoch(1)
    assert [len(step) for step in first] == [4, 4, 2]
    assert sorted(chain.from_iterable(first)) == sorted(chain.from_iterable(second)) == list(range(10))
    assert first != second and first == RowOrder(10, 4, 1).epoch(0) and first != RowOrder(10, 4, 2).epoch(0)


def test_file_order_is_kept_where_shuffling_is_off() -> None:
    assert RowOrder(5, 2, 0, shuffle=False).epoch(3) == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("seed", range(20))
def test_packing_loses_no_row_and_keeps_to_the_budget(seed: int) -> None:
    generator = random.Random(seed)
    lengths = [generator.randint(1, 60) for _ in range(generator.randint(1, 30))]
    bins = pack(lengths, 100)
    assert sorted(chain.from_iterable(bins)) == list(range(len(lengths)))
    assert all(sum(lengths[index] for index in items) <= 100 for items in bins)
    assert len(bins) <= 1.5 * sum(lengths) / 100 + 1


def test_a_row_longer_than_the_budget_is_computed_alone() -> None:
    assert sorted(pack([5, 300, 6], 100)) == [[0, 2], [1]]


def test_packed_bins_are_about_equally_heavy() -> None:
    loads = [sum(10 for _ in items) for items in pack([10] * 11, 100)]
    assert loads in ([60, 50], [50, 60])


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
def test_each_process_gets_as_many_bins_as_the_others(rows: int) -> None:
    for bins in (pack([10] * rows, 20, multiple=4), pad([10] * rows, 2, multiple=4)):
        shares = [share(bins, rank, 4) for rank in range(4)]
        assert len({len(mine) for mine in shares}) == 1
        assert sorted(chain.from_iterable(items for mine in shares for items in mine)) == list(range(rows))


def test_padding_puts_rows_of_like_length_together() -> None:
    assert pad([5, 50, 6, 49], 2) == [[1, 3], [2, 0]]
