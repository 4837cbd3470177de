"""Conversations over a real tiny engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metier.core.errors import ConfigError
from metier.engines import ChatPiece, ChatSession, Sampling, side_by_side
from metier.engines.hf import HFEngine
from metier.rendering import Prompt
from tests.engines.support import engine

SAMPLING = Sampling(temperature=1.0, max_new_tokens=20)


class Saying:
    """An engine that says what it is told to and keeps the prompts it got."""

    def __init__(self, of: HFEngine, *pieces: str) -> None:
        self.renderer, self.context_length = of.renderer, of.context_length
        self.pieces, self.prompts = pieces, list[str]()

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        self.prompts.append(prompt.text)
        yield from self.pieces


@pytest.fixture(scope="module")
def hf(lively: Path) -> HFEngine:
    return engine(lively)


def test_later_turns_see_the_earlier_ones_and_the_system_prompt(hf: HFEngine) -> None:
    saying = Saying(hf, "fi", "ne")
    session = ChatSession(saying, system_prompt="Be brief.")  # type: ignore[arg-type]
    list(session.ask("How are you?"))
    list(session.ask("And now?"))
    assert [m.text for m in session.history] == ["How are you?", "fine", "And now?", "fine"]
    for words in ("Be brief.", "How are you?", "fine", "And now?"):
        assert words in saying.prompts[1]


def test_thinking_comes_apart_and_stays_in_the_history(hf: HFEngine) -> None:
    session = ChatSession(Saying(hf, "<think>\nhm", "m\n</th", "ink>\n\nYes."))  # type: ignore[arg-type]
    assert list(session.ask("?")) == [
        ChatPiece("thinking", "hm"),
        ChatPiece("thinking", "m"),
        ChatPiece("answer", "Yes."),
    ]
    assert session.history[-1].text == "<think>\nhmm\n</think>\n\nYes."


def test_stopping_keeps_what_was_said(hf: HFEngine) -> None:
    session = ChatSession(Saying(hf, "one ", "two ", "three"))  # type: ignore[arg-type]
    answer = session.ask("count")
    next(answer)
    answer.close()  # type: ignore[attr-defined]
    assert [m.text for m in session.history] == ["count", "one "]


def test_regenerate_replaces_the_last_answer_by_another_draw(hf: HFEngine) -> None:
    session = ChatSession(hf, sampling=SAMPLING)
    first = "".join(piece.text for piece in session.ask("hello"))
    second = "".join(piece.text for piece in session.regenerate())
    assert first != second
    assert [m.role for m in session.history] == ["user", "assistant"]


def test_nothing_to_regenerate_is_said(hf: HFEngine) -> None:
    session = ChatSession(hf)
    list(zip(session.ask("hello"), range(1), strict=False))
    session.reset()
    with pytest.raises(ConfigError, match="Nothing was asked yet"):
        session.regenerate()


def test_a_conversation_beyond_the_context_drops_turns_and_says_so(hf: HFEngine) -> None:
    session = ChatSession(Saying(hf, "ok"), sampling=SAMPLING)  # type: ignore[arg-type]
    for _ in range(2):
        list(session.ask("word " * 250))
    notice, *_ = session.ask("word " * 250)
    assert notice.kind == "notice"
    assert "oldest turns were left out" in notice.text


def test_two_sessions_answer_side_by_side(hf: HFEngine) -> None:
    left, right = Saying(hf, "a", "b", "c"), Saying(hf, "x")
    sessions = {"base": ChatSession(left), "tuned": ChatSession(right)}  # type: ignore[arg-type]
    pieces = [(name, piece.text) for name, piece in side_by_side(sessions, "?")]
    assert pieces == [("base", "a"), ("tuned", "x"), ("base", "b"), ("base", "c")]
