"""Telling a model's thinking from its answer. Torch-free."""

from __future__ import annotations

OPEN, CLOSE = "<think>", "</think>"


def split_thinking(text: str) -> tuple[str | None, str]:
    """`(thinking, answer)` of a model's text; thinking is None where there is none.

    The opening tag may have stood in the prompt (only the closing one is seen), and a text that was cut off while
    thinking has no answer.
    """
    before, opened, rest = text.partition(OPEN)
    if opened and not before.strip():
        thinking, closed, answer = rest.partition(CLOSE)
        return (thinking.strip(), answer.lstrip()) if closed else (rest.strip(), "")
    if not opened or CLOSE in before:
        thinking, closed, answer = text.partition(CLOSE)
        if closed:
            return thinking.strip(), answer.lstrip()
    return None, text
