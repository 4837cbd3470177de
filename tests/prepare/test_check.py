"""What a check says about a set, by row number."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.core.events import EventLog
from metier.data import load_dataset
from metier.prepare import PrepareSpec, check_dataset
from metier.rendering import Renderer, make_renderer
from tests.prepare.support import dataset, write_rows
from tests.support.tiny import byte_tokenizer


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return make_renderer(byte_tokenizer())


def test_without_a_model_characters_are_counted_and_cuts_are_unknown() -> None:
    result = check_dataset(dataset(("ab", "cde"), ("f", "g")))
    assert (result["unit"], result["rows"], result["tokens"]["total"]) == ("characters", 2, 7)
    assert result["answer_tokens"]["max"] == 3
    assert result["cutoff_len"] is None
    assert result["truncated"] == {"rows": [], "answers": []}


def test_with_a_model_whole_examples_and_answers_are_counted_in_tokens(renderer: Renderer) -> None:
    rows = dataset(("What is gout?", "A disease."))
    example = renderer.examples(rows.conversations[0])[0]
    result = check_dataset(rows, renderer=renderer)
    assert result["tokens"]["total"] == len(example.input_ids)
    assert result["answer_tokens"]["total"] == sum(label >= 0 for label in example.labels)


def test_cut_rows_and_cut_answers_are_told_apart(renderer: Renderer) -> None:
    rows = dataset(("short", "yes"), ("q" * 200, "yes"), ("short", "a" * 200))
    result = check_dataset(rows, renderer=renderer, spec=PrepareSpec(cutoff_len=100))
    assert result["truncated"] == {"rows": [2, 3], "answers": [3]}
    assert result["tokens"]["max"] > 200


def test_duplicates_are_the_same_question_and_answer() -> None:
    result = check_dataset(
        dataset(("What is gout?", "A."), ("other", "B"), ("what is gout", "a"), ("What is GOUT?", "C"))
    )
    assert result["duplicates"] == [[1, 3]]
    assert result["near_duplicates"] == [[1, 4, 1.0]]


def test_a_near_duplicate_is_paired_with_the_earlier_row_it_is_nearest_to() -> None:
    question = "A man of fifty has fever and a stiff neck, what is it and how is it treated"
    rows = dataset(("something else", "x"), (question, "x"), (question + " today", "x"), (question + " todaz", "x"))
    pairs = check_dataset(rows)["near_duplicates"]
    assert [pair[:2] for pair in pairs] == [[2, 3], [3, 4]]
    assert all(0.9 <= pair[2] < 1 for pair in pairs)


def test_the_threshold_decides_what_is_near() -> None:
    rows = dataset(("abcdefghij klmnopqrst", "x"), ("abcdefghij klmnopqrXX", "x"))
    assert check_dataset(rows, spec=PrepareSpec(near_duplicate_threshold=0.85))["near_duplicates"]
    assert not check_dataset(rows, spec=PrepareSpec(near_duplicate_threshold=0.95))["near_duplicates"]


def test_leaks_are_found_by_the_question_alone_exact_and_near() -> None:
    train = dataset(
        ("unrelated", "z"), ("Which test comes first in gout?", "fluid"), ("How is asthma treated first?", "x")
    )
    test = dataset(
        ("which test comes first in gout", "other answer"), ("new", "y"), ("How is asthma treated firstly?", "x")
    )
    exact, near = check_dataset(train, test)["leaks"]
    assert exact == {"train_row": 2, "test_row": 1, "kind": "exact", "score": 1.0}
    assert (near["train_row"], near["test_row"], near["kind"]) == (3, 3, "near")


def test_without_a_test_set_leaks_are_unknown_not_none_found() -> None:
    assert check_dataset(dataset(("a", "b")))["leaks"] is None
    assert check_dataset(dataset(("a", "b")), dataset(("c", "d")))["leaks"] == []


def test_rows_with_nothing_but_thinking_are_empty() -> None:
    assert check_dataset(dataset(("a", "<think>hm</think>"), ("b", "fine")))["empty"] == [1]


def test_rows_left_out_while_reading_are_named_with_the_reason(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", ("question", "answer"), ("no answer", ""))
    result = check_dataset(load_dataset(str(path), skip_bad_rows=True))
    assert result["empty"] == [2]
    assert [one["row"] for one in result["unusable"]] == [2]


def test_rows_that_the_template_does_not_take_are_named(renderer: Renderer) -> None:
    rows = dataset(("fine", "yes"), ("stop inside", "a<|im_end|>b"))
    result = check_dataset(rows, renderer=renderer)
    assert [one["row"] for one in result["unusable"]] == [2]
    assert result["examples"] == 1


def test_progress_reaches_its_total() -> None:
    events: list[dict[str, object]] = []
    log = EventLog(None, (events.append,))
    import metier.prepare.progress as progress

    original, progress._PAUSE_SECONDS = progress._PAUSE_SECONDS, 0.0
    try:
        check_dataset(dataset(*((f"question {i}" * 3, "a") for i in range(50))), dataset(("new", "b")), events=log)
    finally:
        progress._PAUSE_SECONDS = original
    assert events[-1]["step"] == events[-1]["total"]
    assert {event["doing"] for event in events} == {"lengths", "duplicates", "leaks"}


@pytest.mark.parametrize("name", ["medical_demo_en", "medical_sample_en", "medical_sample_zh"])
def test_shipped_sets_leak_nothing(name: str) -> None:
    result = check_dataset(load_dataset(name, max_samples=800), load_dataset(f"{name}_test"))
    assert (result["leaks"], result["duplicates"]) == ([], [])
