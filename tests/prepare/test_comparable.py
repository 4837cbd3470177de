"""What counts as the same question."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metier.data import ImagePart, Message
from metier.prepare.comparable import boilerplate, normalised, questions, shortened
from tests.prepare.support import dataset


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("What is gout?", "what is GOUT"),
        ("痛风，是什么？", "痛风是什么"),
        ("Ｇｏｕｔ（痛风）", "gout 痛风"),
        ("10 - 4 = ?", "10-4=?"),
        ("a  b\tc", "abc"),
    ],
)
def test_typing_does_not_count(left: str, right: str) -> None:
    assert normalised(left) == normalised(right)


@pytest.mark.parametrize(
    ("left", "right"), [("5 - 3", "5 + 3"), ("1.5 mg", "15 mg"), ("10 - 4", "104"), ("gout", "goat")]
)
def test_meaning_counts(left: str, right: str) -> None:
    assert normalised(left) != normalised(right)


def test_lone_surrogates_and_control_characters_do_no_harm() -> None:
    assert normalised("a\ud800\x00b")


def test_system_prompts_are_not_compared() -> None:
    plain, with_system = dataset(("q one", "a")), dataset(("q one", "a"), system="You are a doctor. " * 20)
    assert questions(plain.conversations) == questions(with_system.conversations)


def test_a_line_that_many_rows_share_is_not_compared() -> None:
    rows = dataset(*((f"Answer with one letter.\nquestion {i}", "a") for i in range(40))).conversations
    shared = boilerplate(rows)
    assert shared == {"answerwithoneletter"}
    assert questions(rows, boilerplate=shared)[7] == "question7"


def test_one_question_on_two_pictures_is_two_questions() -> None:
    row = dataset(("What is shown?", "a")).conversations[0]
    turn, answer = row.messages
    one, two = (
        replace(row, messages=(Message("user", (*turn.parts, ImagePart(path=path))), answer))
        for path in ("a.png", "b.png")
    )
    first, second = questions([one, two])
    assert first != second


def test_of_long_texts_both_ends_are_compared() -> None:
    text = "x" * 600 + "y" * 5000 + "z" * 600
    assert shortened(text) == "x" * 500 + "z" * 500
    assert shortened("short") == "short"
