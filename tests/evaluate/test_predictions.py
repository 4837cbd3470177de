"""Anybody's files are read; a bad line is named."""

import json

import pytest

from metier.core.errors import DataError
from metier.core.i18n import LANGUAGES
from metier.evaluate.predictions import Fields, predictions_file, read_predictions

GOOD = {"prompt": "q", "predict": "a", "label": "b"}


def lines(path, *given):
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in given))
    return path


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (b"{not json", "line 3: not JSON"),
        (b"[1]", "line 3: a JSON object"),
        (b'{"predict": "\xff"}', "line 3: not UTF-8"),
        ({"prompt": "q", "prediction": "a", "label": "b"}, "no “predict” (→ prediction?)"),
        ({"prompt": "q", "predict": {"a": 1}, "label": "b"}, "line 3: “predict” is not a text"),
        ({"prompt": "q", "predict": "a"}, "--label_field"),
    ],
)
def test_a_bad_line_is_named(tmp_path, second, words):
    file = lines(tmp_path / "p.jsonl", GOOD, b"", second)
    with pytest.raises(DataError) as caught:
        read_predictions(file, Fields())
    assert words in str(caught.value)
    assert str(file) in str(caught.value)
    assert all("\n" not in caught.value.text(language) for language in LANGUAGES)


def test_other_field_names_and_a_json_list_and_bom(tmp_path):
    rows = [{"question": "q", "response": "r", "gold": 5.0}, {"question": "q", "response": None, "gold": "x"}]
    file = tmp_path / "p.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(rows).encode())
    found = read_predictions(file, Fields(predict="response", label="gold", prompt="question"))
    assert [(row.predict, row.label, row.id) for row in found] == [("r", "5", 0), ("", "x", 1)]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"[]"])
def test_an_empty_file_is_refused(tmp_path, content):
    file = tmp_path / "p.jsonl"
    file.write_bytes(content)
    with pytest.raises(DataError, match="has no rows"):
        read_predictions(file, Fields())


def test_repeated_ids_and_missing_labels_are_refused(tmp_path):
    with pytest.raises(DataError, match="already on line 1"):
        read_predictions(lines(tmp_path / "a", {**GOOD, "id": 4}, {**GOOD, "id": 4}), Fields())
    with pytest.raises(DataError, match="no row has a reference"):
        read_predictions(lines(tmp_path / "b", {**GOOD, "label": ""}), Fields())


def test_thinking_is_taken_out_and_kept_apart(tmp_path):
    texts = ["<think>hm</think>\n\nB", "<think>never ends", "rest of it</think>C", "B"]
    rows = read_predictions(lines(tmp_path / "p", *({**GOOD, "predict": text} for text in texts)), Fields())
    assert [row.answer for row in rows] == ["B", "", "C", "B"]
    assert [row.thinking for row in rows] == [True, True, True, False]


def test_thinking_opened_by_the_prompt_and_cut_leaves_no_answer(tmp_path):
    row = {**GOOD, "prompt": "q<think>\n", "predict": "so B or"}
    assert read_predictions(lines(tmp_path / "p", row), Fields())[0].answer == ""


@pytest.mark.parametrize(
    ("row", "kind", "gold"),
    [
        ({"label": "C"}, "choice", "C"),
        ({"label": "A,C"}, "choice", "AC"),
        ({"label": "It fits. Answer: B", "prompt": "q\nA. x\nB. y"}, "choice", "B"),
        ({"label": "It fits. Answer: B", "meta": {"answer": "C", "kind": "choice"}}, "choice", "C"),
        ({"label": "A long text"}, "open", None),
        ({"label": "A long text", "meta": {"answer": "gout"}}, "open", "gout"),
        ({"label": "5", "meta": {"answer": 5, "kind": "contains"}}, "contains", "5"),
        ({"label": "Paris", "meta": {"kind": "exact"}}, "exact", "Paris"),
        ({"label": "whatever", "meta": {"kind": "choice"}}, "choice", None),
    ],
)
def test_kind_and_gold_answer_of_a_row(tmp_path, row, kind, gold):
    found = read_predictions(lines(tmp_path / "p", {**GOOD, **row}), Fields())[0]
    assert (found.kind, found.gold) == (kind, gold)


def test_a_step_folder_names_its_file(tmp_path):
    with pytest.raises(DataError, match=r"no predictions\.jsonl"):
        predictions_file(tmp_path)
    lines(tmp_path / "predictions.jsonl", GOOD)
    assert predictions_file(tmp_path).name == "predictions.jsonl"
    with pytest.raises(DataError, match="does not exist"):
        predictions_file(tmp_path / "absent.jsonl")
