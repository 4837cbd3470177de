"""Which rows run together."""

from __future__ import annotations

from collections import deque

from metier.engines.row import Row
from metier.engines.scheduling import places_in_memory, shared_prefix, take_group


def _rows(*lengths: int) -> deque[Row]:
    return deque(Row(i, [7] * length, 0, 1) for i, length in enumerate(lengths))


def test_group_keeps_to_the_token_budget_but_takes_one_row_always() -> None:
    assert len(take_group(_rows(10, 10, 10), 8, 25, 0)) == 2
    assert len(take_group(_rows(900, 10), 8, 25, 0)) == 1


def test_much_shorter_rows_wait_once_a_group_is_large() -> None:
    pending = _rows(100, 100, 99, 20)
    assert len(take_group(pending, 8, 400, 0)) == 3
    assert len(pending) == 1


def test_shared_prefix_leaves_each_prompt_a_token_of_its_own() -> None:
    prompt = list(range(30))
    assert shared_prefix([prompt] * 4) == 29
    assert shared_prefix([[*prompt, 1], [*prompt, 2], [*prompt, 2, 3], [*prompt, 4]]) == 30


def test_shared_prefix_is_left_alone_where_it_is_short_or_rows_are_few() -> None:
    assert shared_prefix([[1] * 10] * 8) == 0
    assert shared_prefix([[1] * 50] * 3) == 0


def test_places_fit_memory_and_are_never_none() -> None:
    assert places_in_memory(free_bytes=1000, bytes_per_token=1, bytes_per_row=50, tokens_per_row=50, most=64) == 10
    assert places_in_memory(free_bytes=1, bytes_per_token=9, bytes_per_row=9, tokens_per_row=9, most=64) == 1
