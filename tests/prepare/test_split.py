"""A split without leaks."""

from __future__ import annotations

import pytest

from metier.core.errors import DataError
from metier.prepare import check_dataset, split_dataset
from tests.prepare.support import dataset

NEAR = [(f"A question about the subject number {word} of the long list", "x") for word in ("one", "onee", "oneee")]
ALONE = [(text, "y") for text in ("How is gout treated?", "哮喘是什么", "Name the largest ocean.", "2 + 2 = ?")]


def test_no_test_row_resembles_a_training_row() -> None:
    train, test = split_dataset(dataset(*NEAR, *ALONE), 3)
    assert (len(train), len(test)) == (4, 3)
    assert check_dataset(train, test)["leaks"] == []
    assert {1, 2, 3} <= {row.row for row in train.conversations}


def test_rows_keep_their_numbers_and_the_seed_decides() -> None:
    rows = dataset(*NEAR, *ALONE)
    splits = [[row.row for row in split_dataset(rows, 2, seed=seed)[1].conversations] for seed in (1, 1, 2, 3, 4)]
    assert splits[0] == splits[1] == sorted(splits[0])
    assert len({tuple(split) for split in splits}) > 1


def test_more_test_rows_than_unlike_rows_are_refused() -> None:
    with pytest.raises(DataError, match="only 4 of 7 rows"):
        split_dataset(dataset(*NEAR, *ALONE), 5)
