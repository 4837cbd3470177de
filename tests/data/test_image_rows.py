"""Pictures in rows of every format, found and checked; paths of a closed set lead nowhere else."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from metier.core.errors import DataError
from metier.core.files import sha256_text, write_json
from metier.data import ImagePart, TextPart, load_dataset
from metier.data.picturefiles import PictureFiles, own_pictures, picture_names
from metier.data.pictures import MOST_PICTURES
from tests.data.writing import PNG, jsonl, raw, turns

ADDRESS = "data:image/png;base64," + base64.b64encode(PNG).decode()
ASKED = {"image": "1.png", "question": "How high is it?", "reasoning": "The bar ends at 5.", "answer": "5"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(PNG)
    return tmp_path


def test_sharegpt_turns_take_their_pictures_in_order(folder: Path) -> None:
    said = [{"from": "human", "value": "<image>one?"}, {"from": "gpt", "value": "a"},
            {"from": "human", "value": "and <image>, <image>?"}, {"from": "gpt", "value": "b"}]  # fmt: skip
    row = {"conversations": said, "images": ["1.png", {"bytes": None, "path": "2.png"}, ADDRESS]}
    loaded = load_dataset(jsonl(folder / "a.jsonl", [row]))
    one, _, two, _ = loaded.conversations[0].messages
    assert [len(one.images), len(two.images)] == [1, 2]
    assert two.images == (ImagePart(path=str(folder / "2.png")), ImagePart(data=PNG))


def test_openai_parts_stand_where_they_were_in_every_turn(folder: Path) -> None:
    picture = {"type": "image_url", "image_url": {"url": ADDRESS}}
    words = {"type": "text", "text": "compare"}
    talk = [{"role": "user", "content": [picture, words, {"type": "image", "path": "1.png"}]},
            {"role": "assistant", "content": "same"},
            {"role": "user", "content": [words, picture]}, {"role": "assistant", "content": "same again"}]  # fmt: skip
    first, _, second, _ = load_dataset(jsonl(folder / "a.jsonl", [{"messages": talk}])).conversations[0].messages
    assert first.parts == (ImagePart(data=PNG), TextPart("compare"), ImagePart(path=str(folder / "1.png")))
    assert second.parts == (TextPart("compare"), ImagePart(data=PNG))


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_table_of_questions_about_pictures_is_known_by_its_columns(kind: str, folder: Path) -> None:
    path = folder / f"a.{kind}"
    if kind == "jsonl":
        jsonl(path, [ASKED])
    elif kind == "csv":
        raw(path, ",".join(ASKED) + "\n" + ",".join(f'"{value}"' for value in ASKED.values()) + "\n")
    else:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([{**ASKED, "image": {"bytes": PNG, "path": "x"}}]), path)
    loaded = load_dataset(str(path))
    asked = loaded.conversations[0]
    assert loaded.format == "chart_qa"
    assert asked.messages[0].parts[1] == TextPart("How high is it?")
    assert asked.label == "<think>\nThe bar ends at 5.\n</think>\n\n5"
    assert asked.meta["answer"] == "5"


def test_a_table_keeps_what_scoring_needs_and_takes_several_pictures(folder: Path) -> None:
    row = {"image": '["1.png", "2.png"]', "question": "Which?", "answer": 4.5, "unit": "%", "tolerance": 0.1,
           "chart_type": "line", "kind": None, "options": ["A. one", "B. two"]}  # fmt: skip
    asked = load_dataset(jsonl(folder / "a.jsonl", [row])).conversations[0]
    assert len(asked.messages[0].images) == 2
    assert asked.messages[0].text == "Which?\nA. one\nB. two"
    assert asked.meta == {"unit": "%", "tolerance": 0.1, "chart_type": "line", "answer": "4.5",
                          "options": ["A. one", "B. two"]}  # fmt: skip


def test_other_names_of_columns_are_mapped(folder: Path) -> None:
    row = {"图": "1.png", "问": "多高？", "答": "5"}
    mapped = {"images": "图", "prompt": "问", "response": "答", "meta.answer": "答"}
    asked = load_dataset(jsonl(folder / "a.jsonl", [row]), columns=mapped).conversations[0]
    assert (len(asked.messages[0].images), asked.label, asked.meta["answer"]) == (1, "5", "5")
    named = {"images": "图", "prompt": "问", "response": "答"}
    again = load_dataset(jsonl(folder / "a.jsonl", [row]), columns=named, format="chart_qa").conversations[0]
    assert again.meta["answer"] == "5"


def test_llamafactorys_demo_loads_with_its_pictures(shared_data: Path) -> None:
    loaded = load_dataset("mllm_demo", dataset_dir=shared_data / "formats")
    assert sum(len(turn.images) for turn in loaded.conversations[0].messages) == 2
    assert loaded.conversations[0].messages[2].parts[0] == TextPart("What are they doing?")


@pytest.mark.parametrize(
    ("picture", "told"),
    [
        ("https://example.org/a.png", "not fetched"),
        ("data:image/svg+xml,<svg onload='x'/>", "SVG"),
        ("data:text/html;base64,YWJj", "no picture can be read"),
        ("data:image/png,abc", "no picture can be read"),
        ("a.svg", "SVG"),
        ("cut.png", "broken or cut off"),
        ("../none.png", "not there"),
        ("a\0.png", "NUL"),
        (["1.png"] * (MOST_PICTURES + 1), "at most 100"),
        (7, "no picture can be read"),
    ],
)
def test_a_bad_picture_is_told_with_its_row_and_others_are_read(picture: Any, told: str, folder: Path) -> None:
    (folder / "a.svg").write_text("<svg xmlns='x'><script>alert(1)</script></svg>", encoding="utf-8")
    (folder / "cut.png").write_bytes(PNG[:20])
    path = jsonl(folder / "a.jsonl", [ASKED, {**ASKED, "image": picture}, ASKED])
    with pytest.raises(DataError, match="row 2") as caught:
        load_dataset(path)
    assert told in str(caught.value)
    assert [one.row for one in load_dataset(path, skip_bad_rows=True).conversations] == [1, 3]


def test_a_set_of_its_own_pictures_knows_no_path_of_the_machine(folder: Path) -> None:
    sha256 = sha256_text("a picture")
    (folder / "pictures").mkdir()
    (folder / "pictures" / sha256).write_bytes(PNG)
    names = folder / "pictures.json"
    write_json(names, picture_names("train", {"train/图/a.png": sha256, "b.png": sha256}))
    for good in ("图/a.png", "./图/a.png", "图\\a.png", "../b.png", "b.png", "train/图/a.png"):
        asked = load_dataset(jsonl(folder / "a.jsonl", [{**ASKED, "image": good}]), pictures=names).conversations[0]
        assert asked.messages[0].images[0].path == str(folder / "pictures" / sha256)
    for bad in ("1.png", str(folder / "1.png"), "../1.png", f"pictures/{sha256}", "../../etc/passwd", "图/A.png"):
        with pytest.raises(DataError, match="did not come with the set"):
            load_dataset(jsonl(folder / "a.jsonl", [{**ASKED, "image": bad}]), pictures=names)
    assert load_dataset(jsonl(folder / "a.jsonl", [{**ASKED, "image": ADDRESS}]), pictures=names)


def test_names_of_stored_pictures_stay_in_their_folder(folder: Path) -> None:
    write_json(folder / "pictures.json", {"folder": "../..", "base": "", "files": {"a": "../../etc/passwd"}})
    assert own_pictures(folder / "pictures.json").find("a") != Path("/etc/passwd")
    assert PictureFiles(folder).find("1.png\0") is None


def test_which_picture_a_row_shows_is_part_of_the_sets_hash(folder: Path) -> None:
    (folder / "2.png").write_bytes(PNG + b"\0")
    rows = [{**ASKED, "image": "1.png"}, {**ASKED, "image": "2.png"}]
    before = load_dataset(jsonl(folder / "a.jsonl", rows)).sha256
    one, two = (folder / "1.png").read_bytes(), (folder / "2.png").read_bytes()
    (folder / "1.png").write_bytes(two)
    (folder / "2.png").write_bytes(one)
    assert load_dataset(str(folder / "a.jsonl")).sha256 != before


def test_messages_as_json_hold_their_pictures_again(folder: Path) -> None:
    talk = turns(("user", "<image>?"), ("assistant", "a"))
    asked = load_dataset(jsonl(folder / "a.jsonl", [{**talk, "images": ["1.png"]}])).conversations[0]
    again = {"messages": json.loads(json.dumps([turn.to_openai() for turn in asked.messages]))}
    assert load_dataset(jsonl(folder / "b.jsonl", [again])).conversations[0].messages[0].images[0].data == PNG
