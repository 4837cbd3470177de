"""Rows with pictures as a vision model will see them: one mark a picture, and what each costs."""

from __future__ import annotations

from pathlib import Path

from metier.data import Conversation, ImagePart, Message, TextPart, message
from metier.models.resolve import ResolvedModel
from metier.prepare.check import check_dataset
from metier.prepare.preview import preview_rows
from metier.rendering import load_renderer
from tests.prepare.support import dataset
from tests.support.tiny_vision import drawing


def test_a_picture_is_one_mark_among_the_tokens_and_its_cost_is_told(qwen2_5_vl: Path, tmp_path: Path) -> None:
    renderer = load_renderer(ResolvedModel(str(qwen2_5_vl), qwen2_5_vl, None))
    parts = []
    for number, size in enumerate(((64, 40), (160, 120))):
        drawing(*size, seed=number).save(tmp_path / f"{number}.png")
        parts.append(ImagePart(path=str(tmp_path / f"{number}.png")))
    row = Conversation(1, (Message("user", (*parts, TextPart("Which is higher?"))), message("assistant", "The first.")))
    (shown,) = preview_rows([row], renderer=renderer, pieces=True)
    costs = [one["tokens"] for one in shown["pictures"]]
    assert costs == [renderer.image_tokens([part]) for part in parts]
    assert [one["width"] for one in shown["pictures"]] == [64, 160]
    assert "".join(segment["text"] for segment in shown["text_segments"]).count("[image]") == 2
    marks = [piece for piece in shown["pieces"] if piece["text"].startswith("[image] × ")]
    assert [len(mark["ids"]) for mark in marks] == [int(mark["text"].rpartition(" ")[2]) for mark in marks]
    assert sum(len(piece["ids"]) for piece in shown["pieces"]) == shown["tokens"]
    (without,) = preview_rows([row])
    assert [one["tokens"] for one in without["pictures"]] == [None, None]


def test_a_check_counts_pictures_by_their_headers_and_opens_them_where_asked(tmp_path: Path) -> None:
    drawing(64, 40).save(tmp_path / "a.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:-40])
    whole = dataset(("one?", "a"), ("two?", "b"), ("three?", "c"))
    names = ("a.png", "cut.png")
    rows = list(whole.conversations)
    for place, name in enumerate(names):
        picture = Message("user", (ImagePart(path=str(tmp_path / name)),))
        rows[place] = Conversation(rows[place].row, (picture, *rows[place].messages))
    whole.conversations[:] = rows
    result = check_dataset(whole)
    facts = result["pictures"]
    assert (facts["rows"], facts["pictures"]) == (2, 2)
    assert (facts["largest"]["width"], facts["largest"]["height"]) == (64, 40)
    assert result["unusable"] == []
    (broken,) = check_dataset(whole, open_pictures=True)["unusable"]
    assert broken["row"] == rows[1].row
    assert "cut.png" in broken["problem"]
    assert check_dataset(dataset(("one?", "a")))["pictures"] is None
