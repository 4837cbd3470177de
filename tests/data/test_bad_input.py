"""Each mistake gives one line that names the file, the row or field, and what to do; nothing else escapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import ConfigError, DataError
from metier.core.i18n import LANGUAGES
from metier.data import load_dataset, textfile
from tests.data.writing import PNG, QA, jsonl, raw, turns

GOOD = json.dumps(QA)
RECORDS: dict[str, tuple[str, str]] = {
    "not JSON": ("nonsense", "row 2, column 1: malformed JSON"),
    "a list": ("[1]", "row 2: is a list"),
    "duplicate key": (
        '{"instruction": "a", "output": "b", "output": "c"}',
        "row 2: the key “output” stands there twice",
    ),
    "NaN": ('{"instruction": "a", "output": NaN}', "row 2: NaN is not a number"),
    "infinity": ('{"instruction": "a", "output": 1e999}', "row 2: 1e999 is not a number"),
    "endless integer": ('{"instruction": "a", "output": ' + "9" * 5000 + "}", "row 2: 9999"),
    "depth bomb": ("[" * 100_000, "row 2: nested deeper"),
    "deep value": ('{"instruction": ' + "[" * 200 + "]" * 200 + ', "output": "b"}', "row 2: nested deeper than 100"),
    "NUL escape": ('{"instruction": "a", "output": "b\\u0000"}', "row 2, field “output”: holds a NUL"),
    "NUL byte": ('{"instruction": "a", "output": "b\x00"}', "row 2, field “–”: holds a NUL"),
    "lone surrogate": ('{"instruction": "\\ud800", "output": "b"}', "row 2, field “instruction”: \\ud800 is half"),
    "number": ('{"instruction": "a", "output": 4}', "row 2: the field “output” is a int, not text"),
    "wrong column": ('{"instruction": "a", "outptu": "b"}', "row 2: has no field “output”"),
    "extra column": (
        '{"instruction": "a", "output": "b", "inptu": "c"}',
        "row 2: the field “inptu” is not one of alpaca",
    ),
    "empty answer": ('{"instruction": "a", "output": " "}', "row 2, message 2: the answer is empty"),
    "null answer": ('{"instruction": "a", "output": null}', "row 2: ends with user, without an answer"),
    "empty question": ('{"instruction": "", "input": "", "output": "b"}', "row 2, message 1: the question is empty"),
    "bad history": ('{"instruction": "a", "output": "b", "history": [["c"]]}', "row 2: the field “history”"),
    "missing image": ('{"instruction": "a", "output": "b", "images": ["x.png"]}', "row 2, field “images”: the image"),
    "not a picture": ('{"instruction": "a", "output": "b", "images": ["data:,YWI="]}', "no picture can be read"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_bad_record_is_named_with_file_line_and_row(tmp_path: Path, name: str) -> None:
    record, said = RECORDS[name]
    path = raw(tmp_path / "a.jsonl", f"{GOOD}\n{record}\n{GOOD}\n")
    with pytest.raises(DataError) as caught:
        load_dataset(path)
    assert said in str(caught.value)
    assert "a.jsonl:2" in str(caught.value)
    for language in LANGUAGES:
        assert "\n" not in caught.value.text(language)
        assert caught.value.text(language).isprintable()


@pytest.mark.parametrize("name", RECORDS)
def test_bad_record_can_be_left_out_by_request(tmp_path: Path, name: str) -> None:
    path = raw(tmp_path / "a.jsonl", f"{GOOD}\n{RECORDS[name][0]}\n{GOOD}\n")
    loaded = load_dataset(path, skip_bad_rows=True)
    assert [talk.row for talk in loaded.conversations] == [1, 3]
    assert [problem.fields["row"] for problem in loaded.skipped] == [2]
    assert loaded.notes[-1].text() == "1 unusable rows are left out, the first is row 2."


TURNS: dict[str, tuple[Any, str]] = {
    "two users": (turns(("user", "a"), ("user", "b")), "message 2: is from user where assistant should speak"),
    "assistant first": (
        turns(("assistant", "a"), ("user", "b")),
        "message 1: is from assistant where user should speak",
    ),
    "late system": (turns(("user", "a"), ("system", "b")), "message 2: is from system"),
    "tool first": (turns(("tool", "a"), ("assistant", "b")), "message 1: is from tool"),
    "no answer": (turns(("system", "s"), ("user", "a")), "ends with user, without an answer"),
    "no messages": ({"messages": []}, "has no messages"),
    "unknown role": (turns(("robot", "a")), "message 1: unknown role 'robot'"),
    "missing content": ({"messages": [{"role": "user"}]}, "message 1: needs role, content"),
    "not a list": ({"messages": {"role": "user"}}, "is a dict, not a list of messages"),
    "audio": ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "type input_audio is not read"),
    "images": (
        {**turns(("user", "<image>"), ("assistant", "a")), "images": []},
        "1 <image> placeholders, but 0 images",
    ),
    "meta": ({**turns(("user", "a"), ("assistant", "b")), "meta": 3}, "“meta” is a int, not an object"),
}


@pytest.mark.parametrize("name", TURNS)
def test_bad_messages_are_named(tmp_path: Path, name: str) -> None:
    path = jsonl(tmp_path / "a.jsonl", [turns(("user", "q"), ("assistant", "a")), TURNS[name][0]])
    with pytest.raises(DataError) as caught:
        load_dataset(path)
    assert TURNS[name][1] in str(caught.value)
    assert "row 2" in str(caught.value)


def test_unknown_columns_are_listed_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset(jsonl(tmp_path / "a.jsonl", [{"问题": "a", "回答": "b"}]))
    assert "问题, 回答" in str(caught.value)
    assert "--columns prompt=…,response=…" in str(caught.value)


def test_mapping_to_an_absent_column_lists_those_there(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"q": "a", "a": "b"}])
    with pytest.raises(DataError, match=r"has no field “x”\. It has: q, a"):
        load_dataset(path, columns={"prompt": "q", "response": "x"})
    with pytest.raises(DataError, match="no row has the column “sys”"):
        load_dataset(path, columns={"prompt": "q", "response": "a", "system": "sys"})


def test_unknown_format_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"alpacca.*alpaca"):
        load_dataset(jsonl(tmp_path / "a.jsonl", [QA]), format="alpacca")


@pytest.mark.parametrize("columns", [{"chosen": "a", "rejected": "b"}, {"label": True}])
def test_preference_sets_are_named(tmp_path: Path, columns: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="cannot be trained yet"):
        load_dataset(jsonl(tmp_path / "a.jsonl", [{"conversations": [], **columns}]))


@pytest.mark.parametrize(
    ("name", "content"), [("a.jsonl", ""), ("a.json", "[]"), ("a.csv", "prompt,response\n"), ("b.jsonl", "\n")]
)
def test_empty_sets_are_refused(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(DataError, match="Give a file with at least one row"):
        load_dataset(raw(tmp_path / name, content))


def test_files_that_cannot_be_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no dataset or file"):
        load_dataset("nowhere")
    with pytest.raises(DataError, match=r"nowhere\.jsonl is not there"):
        load_dataset("nowhere.jsonl")
    with pytest.raises(DataError, match="is a folder"):
        load_dataset(str(tmp_path))
    with pytest.raises(DataError, match="file type is not read"):
        load_dataset(raw(tmp_path / "a.docx", b"x"))
    with pytest.raises(DataError, match="is not text"):
        load_dataset(raw(tmp_path / "a.jsonl", b"\x00" * 1000))


def test_one_endless_line_is_refused_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textfile, "MAX_LINE_BYTES", 2 << 20)
    with pytest.raises(DataError, match=r"a\.jsonl:2: this line is longer than 2 MiB"):
        load_dataset(raw(tmp_path / "a.jsonl", GOOD + "\n" + "x" * (4 << 20)))


@pytest.mark.parametrize("given", [0, -1])
def test_max_samples_must_be_positive(given: int) -> None:
    with pytest.raises(ConfigError, match="must be 1 or more"):
        load_dataset("x", max_samples=given)


def test_fin_mme_values_out_of_range_are_named(tmp_path: Path) -> None:
    names = ("question_text", "options", "answer", "unit", "verified_caption", "related_sentences", "knowledge_domain")
    (tmp_path / "1.png").write_bytes(PNG)
    row = {**dict.fromkeys(names, "x"), "image": "1.png", "question_type": "numerical", "tolerance": "wide"}
    with pytest.raises(DataError, match="“tolerance” is 'wide'"):
        load_dataset(jsonl(tmp_path / "a.jsonl", [row]))
    with pytest.raises(DataError, match="“question_type” is “essay”"):
        load_dataset(jsonl(tmp_path / "a.jsonl", [{**row, "question_type": "essay"}]))


def test_exam_answer_outside_its_options_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"“answer” is “nan”, not letters of the options \(A–B\)"):
        load_dataset(jsonl(tmp_path / "a.jsonl", [{"question": "q", "options": ["A x", "B y"], "answer": "nan"}]))


def test_message_stays_one_short_line_whatever_the_data_holds(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset(jsonl(tmp_path / "a.jsonl", [{"line\nbreak": "a", "x" * 100_000: "b"}]))
    assert "line\\nbreak" in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 2000
