"""The step writes its files, warns, and refuses what must not be trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import ConfigError, DataError
from metier.core.events import EventLog, read_events
from metier.core.files import read_json
from metier.core.i18n import LANGUAGES, translate
from metier.core.specs import parse_spec
from metier.prepare import PrepareSpec, run_prepare
from tests.prepare.support import write_rows


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write_rows(
        tmp_path / "train.jsonl", ("What is gout?", "A disease of joints."), ("And asthma?", "Of airways.")
    )


def prepare(model: Path, folder: Path, train: Path, **values: Any) -> dict[str, Any]:
    spec = PrepareSpec(model_name_or_path=str(model), dataset=str(train), **values)
    return run_prepare(spec, folder, EventLog(folder / "events.jsonl"))


def test_both_files_are_written_and_the_result_is_what_they_say(tiny_model: Path, tmp_path: Path, rows: Path) -> None:
    result = prepare(tiny_model, tmp_path / "step", rows, preview_rows=1)
    assert read_json(tmp_path / "step" / "prepare.json") == result
    assert (result["rows"], result["unit"], result["refused"]) == (2, "tokens", None)
    assert [row["row"] for row in read_json(tmp_path / "step" / "preview.json")] == [1]
    assert [event["event"] for event in read_events(tmp_path / "step")][-1] == "end"


def test_answers_that_would_be_cut_are_refused_by_row_unless_allowed(tiny_model: Path, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "long.jsonl", ("one", "long " * 20), ("two", "ok"), ("three", "long " * 30))
    with pytest.raises(DataError, match=r"cutoff_len 60 would cut the answers of 2 rows \(1, 3\)"):
        prepare(tiny_model, tmp_path / "step", rows, cutoff_len=60)
    assert "cutoff_len" in read_json(tmp_path / "step" / "prepare.json")["refused"]
    allowed = prepare(tiny_model, tmp_path / "step", rows, cutoff_len=60, allow_truncated_answers=True)
    assert allowed["truncated"]["answers"] == [1, 3]


def test_bad_rows_stop_it_unless_they_are_skipped_which_is_told(tiny_model: Path, tmp_path: Path) -> None:
    train = write_rows(tmp_path / "train.jsonl", ("one", "1"), ("two", ""), ("three", "3"))
    test = write_rows(tmp_path / "test.jsonl", ("four", ""), ("five", "5"))
    with pytest.raises(DataError, match=r"train\.jsonl:2"):
        prepare(tiny_model, tmp_path / "step", train, test_dataset=str(test))
    result = prepare(tiny_model, tmp_path / "step", train, test_dataset=str(test), skip_bad_rows=True)
    assert (result["rows"], result["test_rows"], result["refused"]) == (2, 1, None)
    assert [one["row"] for one in result["unusable"]] == [2]
    assert [one["row"] for one in result["test_unusable"]] == [1]
    told = [event.get("message", "") for event in read_events(tmp_path / "step")]
    assert any("row 2" in text for text in told)
    assert any("1 test rows" in text for text in told)


def test_a_test_set_that_is_the_training_set_is_refused(tiny_model: Path, tmp_path: Path, rows: Path) -> None:
    with pytest.raises(DataError, match="scores would measure memory"):
        prepare(tiny_model, tmp_path / "step", rows, test_dataset=str(rows))


def test_so_is_a_copy_with_other_typing_and_order(tiny_model: Path, tmp_path: Path, rows: Path) -> None:
    copy = write_rows(tmp_path / "copy.jsonl", ("and ASTHMA", "Airways"), ("what is gout", "Joints"))
    with pytest.raises(DataError, match="scores would measure memory"):
        prepare(tiny_model, tmp_path / "step", rows, test_dataset=str(copy))


def test_a_test_set_within_the_training_rows_warns_of_each_leak(tiny_model: Path, tmp_path: Path, rows: Path) -> None:
    test = write_rows(tmp_path / "test.jsonl", ("What is gout?", "Joints."))
    result = prepare(tiny_model, tmp_path / "step", rows, test_dataset=str(test))
    warnings = [event for event in read_events(tmp_path / "step") if event["event"] == "warning"]
    assert [(leak["train_row"], leak["test_row"]) for leak in result["leaks"]] == [(1, 1)]
    assert warnings[0]["kind"] == "leaks"
    assert "test rows 1" in warnings[0]["message"]


def test_every_field_is_labelled_in_both_languages_in_one_line() -> None:
    for field in PrepareSpec.model_fields:
        for language in LANGUAGES:
            texts = [translate(f"prepare.PrepareSpec.{field}.{kind}", language=language) for kind in ("label", "help")]
            assert all(text and "\n" not in text for text in texts)


def test_a_threshold_that_means_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="near_duplicate_threshold"):
        parse_spec(PrepareSpec, {"near_duplicate_threshold": 0.2}, source="x.yaml")


@pytest.mark.slow
def test_all_real_rows_are_checked_within_a_minute(tiny_model: Path, tmp_path: Path, shared_data: Path) -> None:
    train = shared_data / "medical" / "qa_zh.jsonl"
    result = prepare(tiny_model, tmp_path / "step", train, cutoff_len=4096)
    events = read_events(tmp_path / "step")
    assert (result["rows"], result["duplicates"], result["unusable"]) == (8658, [], [])
    assert result["near_search"] == "exhaustive"
    assert any(event["event"] == "progress" for event in events)
