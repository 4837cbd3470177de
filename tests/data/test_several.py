"""Several sets named with commas are one set with rows numbered on."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.core.errors import DataError
from metier.data import load_dataset
from tests.data.writing import QA, jsonl, raw


def test_rows_are_numbered_on_and_a_note_says_where_each_begins(tmp_path: Path) -> None:
    one = jsonl(tmp_path / "one.jsonl", [QA, {**QA, "output": "four"}])
    two = jsonl(tmp_path / "two.jsonl", [{**QA, "output": "vier"}])
    both = load_dataset(f"{one}, {two}")
    assert [(row.row, row.label) for row in both.conversations] == [(1, "4"), (2, "four"), (3, "vier")]
    assert both.notes[0].text() == "Several sets as one; rows are numbered on: one.jsonl 1–2, two.jsonl 3–3."
    assert both.sha256 not in (load_dataset(one).sha256, load_dataset(f"{two},{one}").sha256)


def test_each_is_limited_for_itself(tmp_path: Path) -> None:
    one, two = (jsonl(tmp_path / f"{name}.jsonl", [QA] * 5) for name in ("one", "two"))
    assert len(load_dataset(f"{one},{two}", max_samples=2)) == 4


def test_what_was_left_out_keeps_the_place_in_its_own_file(tmp_path: Path) -> None:
    one = jsonl(tmp_path / "one.jsonl", [QA])
    two = jsonl(tmp_path / "two.jsonl", [{**QA, "output": ""}, QA])
    both = load_dataset(f"{one},{two}", skip_bad_rows=True)
    assert [row.row for row in both.conversations] == [1, 3]
    assert "two.jsonl:1" in both.skipped[0].text()
    assert both.left_out is not None


def test_a_missing_one_is_named(tmp_path: Path) -> None:
    one = jsonl(tmp_path / "one.jsonl", [QA])
    with pytest.raises(DataError, match="nowhere"):
        load_dataset(f"{one},nowhere")


def test_a_file_may_have_a_comma_in_its_name(tmp_path: Path) -> None:
    one = raw(tmp_path / "a,b.jsonl", '{"instruction": "1", "input": "", "output": "2"}\n')
    assert len(load_dataset(one)) == 1
