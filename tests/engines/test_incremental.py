"""Text pieces of a growing answer."""

from __future__ import annotations

import random

import pytest
from transformers import PreTrainedTokenizerFast

from metier.engines.incremental import IncrementalText
from metier.engines.thinking import ThinkingStream
from metier.rendering import Renderer, make_renderer, split_thinking
from tests.support.tiny import byte_tokenizer


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    tokenizer: PreTrainedTokenizerFast = byte_tokenizer()
    return make_renderer(tokenizer)


def _pieces(renderer: Renderer, text: str, *stop: str) -> list[str]:
    growing = IncrementalText(renderer, stop)
    pieces = [growing.push(token) for token in renderer.encoder.encode(text) if not growing.stopped]
    return [*pieces, growing.finish()]


def test_characters_of_several_bytes_come_whole(renderer: Renderer) -> None:
    pieces = _pieces(renderer, "好 é 👩‍⚕️.")
    assert "".join(pieces) == "好 é 👩‍⚕️."
    assert not any("\ufffd" in piece for piece in pieces)


def test_bytes_that_are_no_text_lose_nothing(renderer: Renderer) -> None:
    draw = random.Random(0)
    for _ in range(200):
        ids = [draw.randrange(3, 259) for _ in range(30)]
        growing = IncrementalText(renderer)
        assert "".join([*map(growing.push, ids), growing.finish()]) == renderer.decode(ids)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("one\nUser: two", "one"), ("one\nUse it", "one\nUse it"), ("\nUser:", ""), ("one\nUs", "one\nUs")],
)
def test_stop_text_is_never_shown_in_part(renderer: Renderer, text: str, shown: str) -> None:
    pieces = _pieces(renderer, text, "\nUser:", "END")
    assert "".join(pieces) == shown


@pytest.mark.parametrize(
    "text",
    [
        "<think>\nlet me see </thin\n</think>\n\nThe answer.",
        "plain <think>quoted</think> words",
        "<think>never closed",
        "<think>\n\n</think>\n\nAt once.",
        "<thi",
        "",
        "  \n<think>a</think>b",
    ],
)
def test_thinking_is_split_as_a_whole_text_would_be(text: str) -> None:
    stream = ThinkingStream()
    parts = [part for character in text for part in stream.push(character)] + stream.finish()
    thinking, answer = split_thinking(text)
    assert "".join(piece for kind, piece in parts if kind == "thinking") == (thinking or "")
    assert "".join(piece for kind, piece in parts if kind == "answer").rstrip() == answer.rstrip()


def test_thinking_may_be_opened_by_the_prompt() -> None:
    stream = ThinkingStream(thinking=True)
    assert stream.push("so it is.\n</think>\n\nYes") == [("thinking", "so it is."), ("answer", "Yes")]
