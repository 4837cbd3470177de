"""Rows as the model will see them."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from metier.data import ImagePart, Message
from metier.prepare import PrepareSpec, check_dataset, check_view, preview_rows, preview_view
from metier.rendering import Renderer, make_renderer
from tests.data.writing import PNG
from tests.prepare.support import dataset
from tests.support.tiny import byte_tokenizer


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return make_renderer(byte_tokenizer())


def printed(view: object) -> str:
    console = Console(width=100, force_terminal=True, color_system="standard", record=True, file=StringIO())
    console.print(view)
    return console.export_text(styles=True)


def test_segments_are_the_rendered_template_and_loss_lies_on_the_answer(renderer: Renderer) -> None:
    (row,) = preview_rows(dataset(("问题?", "答案。")).conversations, renderer=renderer)
    assert "".join(s["text"] for s in row["text_segments"]).startswith("<|im_start|>user\n问题?<|im_end|>")
    assert [s["text"] for s in row["text_segments"] if s["loss"]] == ["答案。<|im_end|>"]
    assert (row["row"], row["cut_at"], row["left_out"]) == (1, None, "")


def test_a_cut_is_shown_with_what_falls_off(renderer: Renderer) -> None:
    rows = dataset(("q", "abcdefghij" * 10)).conversations
    (row,) = preview_rows(rows, renderer=renderer, spec=PrepareSpec(cutoff_len=60))
    shown = "".join(s["text"] for s in row["text_segments"])
    assert row["cut_at"] == row["tokens"] == 60
    assert row["left_out"].endswith("<|im_end|>")
    (whole,) = preview_rows(rows, renderer=renderer)
    assert shown + row["left_out"] == "".join(s["text"] for s in whole["text_segments"])


def test_without_a_model_the_messages_are_shown_with_pictures_named(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(PNG)
    row = dataset(("What is this?", "A chart.")).conversations[0]
    question = Message("user", (ImagePart(path=str(tmp_path / "x.png")), *row.messages[0].parts))
    (shown,) = preview_rows([replace(row, messages=(question, row.messages[1]))])
    (picture,) = shown["pictures"]
    assert (picture["width"], picture["height"], picture["tokens"]) == (4, 2, None)
    assert "".join(s["text"] for s in shown["text_segments"]) == "user: [image]What is this?\nassistant: A chart.\n"
    assert [s["text"] for s in shown["text_segments"] if s["loss"]] == ["A chart."]


def test_terminal_view_colours_what_is_learnt_and_marks_the_cut(renderer: Renderer) -> None:
    spec = PrepareSpec(cutoff_len=60)
    rows = preview_rows(dataset(("q", "abcdefghij" * 10)).conversations, renderer=renderer, spec=spec)
    text = printed(preview_view(rows))
    assert "\x1b[1;32m" in text
    assert "cut here, 60 tokens are kept" in text


def test_text_cannot_steer_the_terminal() -> None:
    text = printed(preview_view(preview_rows(dataset(("\x1b[2Jclear [red]x[/red]", "\x07ok")).conversations)))
    assert "\x1b[2J" not in text
    assert "\x07" not in text
    assert "[red]x[/red]" in text


def test_check_view_names_rows_and_says_what_is_unknown(renderer: Renderer) -> None:
    rows = dataset(("same question here", "a"), ("same question here", "a"))
    plain = printed(check_view(check_dataset(rows)))
    assert "1 = 2" in plain
    assert "characters" in plain
    assert "answer is cut" not in plain
    assert "answer is cut" in printed(check_view(check_dataset(rows, rows, renderer=renderer)))
