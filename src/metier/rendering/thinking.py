"""Thinking apart from the answer: `<think>…</think>` in generated or published text. Torch-free."""

from __future__ import annotations

import re

OPENING = "<think>"
CLOSING = "</think>"
_OPEN_AT_END = re.compile(r"<think>\s*\Z")
_SPACE = " \t\r\n"


def split_thinking(text: str) -> tuple[str | None, str]:
    """Splits `text` into (thinking, answer); thinking is None if there is none, "" if it is an empty block.

    Known forms: a whole block before the answer; only `</think>`, because the opening stood in the prompt; only
    `<think>` at the start, because generation was cut while thinking (then the answer is ""). Tags that stand later in
    an answer, after words of its own, are words like any other. Line breaks and spaces around both parts are dropped
    only where a tag stood.
    """
    head = text.lstrip(_SPACE)
    if head.startswith(OPENING):
        thinking, closing, answer = head[len(OPENING) :].partition(CLOSING)
        return thinking.strip(_SPACE), answer.strip(_SPACE) if closing else ""
    before, closing, after = text.partition(CLOSING)
    if closing and OPENING not in before:
        return before.strip(_SPACE), after.strip(_SPACE)
    return None, text


def strip_thinking(text: str) -> str:
    """The answer alone."""
    return split_thinking(text)[1]


def opens_thinking(prompt: str) -> bool:
    """Whether a rendered prompt ends inside an opened thinking block."""
    return _OPEN_AT_END.search(prompt) is not None
