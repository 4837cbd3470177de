"""Each format's fields as published become the right messages."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from metier.core.errors import ConfigError, DataError
from metier.data import ImagePart, TextPart, load_dataset, message, parse_columns
from tests.data.writing import PNG, QA, jsonl, raw, turns

THOUGHT = {"Question": "Why does it hurt?", "Complex_CoT": "Let me think.\nIt burns.", "Response": "It is a burn."}
MARKET: dict[str, Any] = {
    "question_text": "Which year was best?",
    "question_type": "single_choice",
    "options": ["A. 2020", "B. 2021"],
    "answer": "B",
    "unit": "",
    "tolerance": 0.0,
    "verified_caption": "Revenue by year.",
    "related_sentences": "Revenue rose.",
    "knowledge_domain": "TMT",
}
EXAM = {"question": "七情致病常见于", "options": ["A 心", "B 肝"], "answer": "B", "explanation": "肝主疏泄。"}


def test_alpaca_joins_instruction_and_input_with_a_newline(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"instruction": "Add.", "input": "2, 2", "output": "4"}])
    assert load_dataset(path).conversations[0].messages == (message("user", "Add.\n2, 2"), message("assistant", "4"))


def test_alpaca_question_may_stand_in_the_input_alone(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"instruction": "", "input": "2 + 2?", "output": "4"}])
    assert load_dataset(path).conversations[0].messages[0].text == "2 + 2?"


def test_alpaca_system_and_history_come_first(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{**QA, "system": "Be brief.", "history": [["hi", "hello"]]}])
    loaded = load_dataset(path).conversations[0].messages
    assert [turn.role for turn in loaded] == ["system", "user", "assistant", "user", "assistant"]
    assert [turn.text for turn in loaded[:3]] == ["Be brief.", "hi", "hello"]


def test_thinking_inside_an_answer_is_kept_and_noted(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{**QA, "output": "<think>\nsum\n</think>\n\n4"}, QA])
    loaded = load_dataset(path)
    assert loaded.conversations[0].label == "<think>\nsum\n</think>\n\n4"
    assert [note.text() for note in loaded.notes] == ["1 of 2 answers hold reasoning (<think>…</think>); it is kept."]


def test_placeholders_of_a_name_stay_literal(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{**QA, "output": "I am {{name}} by {{author}}."}])
    assert load_dataset(path).conversations[0].label == "I am {{name}} by {{author}}."


def test_sharegpt_speakers_become_roles(tmp_path: Path) -> None:
    talk = [{"from": "system", "value": "s"}, {"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
    loaded = load_dataset(jsonl(tmp_path / "a.jsonl", [{"conversations": talk, "id": "x7"}]))
    assert loaded.format == "sharegpt"
    assert loaded.conversations[0].messages == (message("system", "s"), message("user", "q"), message("assistant", "a"))
    assert loaded.conversations[0].meta == {"id": "x7"}


def test_tool_calls_stay_as_published_and_tools_are_shown_to_the_model(tmp_path: Path) -> None:
    call = '{"name": "weather", "arguments": {"city": "巴黎"}}'
    talk = [("human", "q"), ("function_call", call), ("observation", "21"), ("gpt", "a")]
    row = {"conversations": [{"from": who, "value": text} for who, text in talk], "tools": '[{"name": "weather"}]'}
    loaded = load_dataset(jsonl(tmp_path / "a.jsonl", [row])).conversations[0]
    assert [turn.role for turn in loaded.messages] == ["system", "user", "assistant", "tool", "assistant"]
    assert loaded.messages[2].text == call
    assert '[{"name": "weather"}]' in loaded.messages[0].text


def test_openai_tool_calls_read_like_function_calls(tmp_path: Path) -> None:
    called = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
    row = turns(("user", "q"))
    row["messages"] += [
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "content": "21"},
    ]
    row["messages"].append({"role": "assistant", "content": "a"})
    loaded = load_dataset(jsonl(tmp_path / "a.jsonl", [row])).conversations[0]
    assert loaded.messages[1].text == '{"name": "weather", "arguments": {"city": "Paris"}}'


def test_image_placeholders_take_the_images_in_order(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(PNG)
    row = {**turns(("user", "<image>left, <image> right?"), ("assistant", "yes")), "images": ["1.png", "2.png"]}
    parts = load_dataset(jsonl(tmp_path / "a.jsonl", [row])).conversations[0].messages[0].parts
    one, two = (ImagePart(path=str(tmp_path / name)) for name in ("1.png", "2.png"))
    assert parts == (one, TextPart("left, "), two, TextPart(" right?"))


def test_openai_content_parts_hold_pictures_in_place(tmp_path: Path) -> None:
    address = "data:image/png;base64," + base64.b64encode(PNG).decode()
    content = [{"type": "image_url", "image_url": {"url": address}}, {"type": "text", "text": "what?"}]
    row = {"messages": [{"role": "user", "content": content}, {"role": "assistant", "content": "a chart"}]}
    loaded = load_dataset(jsonl(tmp_path / "a.jsonl", [row])).conversations[0]
    assert loaded.messages[0].parts == (ImagePart(data=PNG), TextPart("what?"))


def test_openai_meta_column_is_kept(tmp_path: Path) -> None:
    row = {**turns(("user", "q"), ("assistant", "a")), "meta": {"answer": "C", "kind": "choice"}}
    assert load_dataset(jsonl(tmp_path / "a.jsonl", [row])).conversations[0].meta == {"answer": "C", "kind": "choice"}


def test_medical_o1_reasoning_goes_into_think(tmp_path: Path) -> None:
    loaded = load_dataset(jsonl(tmp_path / "a.jsonl", [THOUGHT]))
    assert loaded.format == "medical_o1_sft"
    assert loaded.conversations[0].label == "<think>\nLet me think.\nIt burns.\n</think>\n\nIt is a burn."


def test_medical_o1_without_reasoning_is_the_answer_alone(tmp_path: Path) -> None:
    loaded = load_dataset(jsonl(tmp_path / "a.jsonl", [{**THOUGHT, "Complex_CoT": ""}]))
    assert loaded.conversations[0].label == "It is a burn."


def test_fin_mme_from_parquet_shows_all_and_keeps_what_scoring_needs(tmp_path: Path) -> None:
    table = pyarrow.Table.from_pylist([{"id": 1, "image": {"bytes": PNG, "path": None}, **MARKET}])
    pyarrow.parquet.write_table(table, tmp_path / "train.parquet")
    loaded = load_dataset(str(tmp_path / "train.parquet"))
    asked = loaded.conversations[0].messages[0]
    assert loaded.format == "fin_mme"
    assert asked.images == (ImagePart(data=PNG),)
    for shown in ("Revenue by year.", "Revenue rose.", "Which year was best?", "A. 2020\nB. 2021", "Answer: $ANSWER"):
        assert shown in asked.text
    assert loaded.conversations[0].label == "Answer: B"
    assert loaded.conversations[0].meta["tolerance"] == 0.0
    assert loaded.conversations[0].meta["knowledge_domain"] == "TMT"


def test_fin_mme_numbers_are_asked_without_their_unit(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(PNG)
    row = {**MARKET, "image": "1.png", "question_type": "numerical", "options": "", "answer": 4.5, "unit": "%"}
    loaded = load_dataset(jsonl(tmp_path / "a.jsonl", [row])).conversations[0]
    assert "a number without its unit (%)" in loaded.messages[0].text
    assert (loaded.label, loaded.meta["answer"], loaded.meta["kind"]) == ("Answer: 4.5", "4.5", "numerical")


def test_exam_shows_options_and_answers_with_letter_and_explanation(tmp_path: Path) -> None:
    loaded = load_dataset(jsonl(tmp_path / "a.jsonl", [EXAM]))
    assert loaded.format == "exam"
    assert loaded.conversations[0].messages[0].text == "七情致病常见于\nA 心\nB 肝"
    assert loaded.conversations[0].label == "答案：B\n\n肝主疏泄。"
    assert loaded.conversations[0].meta == {"answer": "B", "kind": "choice", "language": "zh"}


def test_exam_options_without_letters_get_them(tmp_path: Path) -> None:
    row = {"question": "Which?", "options": ["Type O", "Type A"], "answer": "a,b", "explanation": "nan"}
    loaded = load_dataset(jsonl(tmp_path / "a.jsonl", [row])).conversations[0]
    assert loaded.messages[0].text == "Which?\nA. Type O\nB. Type A"
    assert loaded.label == "Answer: AB"


def test_columns_may_be_mapped_by_hand(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"问题": "头痛？", "回答": "休息。", "科": "内科", "编号": 3}])
    loaded = load_dataset(path, columns=parse_columns("prompt=问题,label=回答,meta.subject=科"))
    assert loaded.conversations[0].messages == (message("user", "头痛？"), message("assistant", "休息。"))
    assert loaded.conversations[0].meta == {"subject": "内科"}
    assert [note.text() for note in loaded.notes] == ["Columns that are not used: 编号."]


def test_exam_columns_may_be_mapped(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"题目": "选？", "选项": "A 一\nB 二", "正确": "A"}])
    loaded = load_dataset(path, columns={"prompt": "题目", "options": "选项", "answer": "正确"})
    assert (loaded.format, loaded.conversations[0].label) == ("exam", "答案：A")


def test_reasoning_and_pictures_may_be_mapped_together(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(PNG)
    path = jsonl(tmp_path / "a.jsonl", [{"image": "1.png", "q": "tax?", "why": "the bar", "a": "42"}])
    loaded = load_dataset(path, columns={"prompt": "q", "response": "a", "reasoning": "why", "images": "image"})
    assert loaded.conversations[0].messages[0].parts == (ImagePart(path=str(tmp_path / "1.png")), TextPart("tax?"))
    assert loaded.conversations[0].label == "<think>\nthe bar\n</think>\n\n42"


@pytest.mark.parametrize("given", ["prompt", "prompt=", "=a", "prompt=a,prompt=b"])
def test_misspelt_mapping_is_refused(given: str) -> None:
    with pytest.raises(ConfigError, match="not understood"):
        parse_columns(given)


def test_unknown_role_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"promt.*prompt"):
        load_dataset(jsonl(tmp_path / "a.jsonl", [QA]), columns={"promt": "instruction", "response": "output"})


def test_plain_text_is_refused_for_training_and_can_be_looked_at(tmp_path: Path) -> None:
    path = raw(tmp_path / "a.txt", "one\ntwo\n\nthree\n")
    with pytest.raises(DataError, match="plain text"):
        load_dataset(path)
    loaded = load_dataset(path, allow_text=True)
    assert loaded.kind == "text"
    assert [talk.label for talk in loaded.conversations] == ["one\ntwo", "three"]


def test_questions_alone_load_where_answers_are_not_wanted(tmp_path: Path) -> None:
    loaded = load_dataset(jsonl(tmp_path / "a.jsonl", [turns(("user", "q"))]), require_answers=False)
    assert loaded.conversations[0].label == ""


def test_max_samples_takes_the_first_rows(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [QA, {**QA, "output": "5"}, {**QA, "output": "6"}])
    assert [talk.label for talk in load_dataset(path, max_samples=2).conversations] == ["4", "5"]


def test_hash_covers_bytes_and_mapping(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"prompt": "a", "response": "b"}])
    plain, swapped = load_dataset(path), load_dataset(path, columns={"prompt": "response", "response": "prompt"})
    assert plain.sha256 == load_dataset(path).sha256 != swapped.sha256
    jsonl(tmp_path / "a.jsonl", [{"prompt": "a", "response": "c"}])
    assert load_dataset(path).sha256 != plain.sha256


def test_hash_covers_the_pictures(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(PNG)
    path = jsonl(tmp_path / "a.jsonl", [{**turns(("user", "<image>?"), ("assistant", "a")), "images": ["1.png"]}])
    before = load_dataset(path).sha256
    (tmp_path / "1.png").write_bytes(PNG + b"x")
    assert load_dataset(path).sha256 != before
