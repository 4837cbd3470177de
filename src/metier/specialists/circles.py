"""A weak model that says the same thing for ever: seen while it writes, so that nobody waits for its last token."""

from __future__ import annotations

import re

_TIMES = 4
_LINES = 12
_NUMBER = re.compile(r"\d+")
_SHORTEST, _LONGEST = 48, 240  # characters of the whole that is repeated, and of one time


def goes_in_circles(text: str) -> bool:
    """Whether a text ends with the same words four times over. Rules and rows of signs (`-----`) are no words.

    Twelve lines of numbers without a word that count on are a circle too (`64. 73:00`, `65. 73:30`).
    """
    if _only_numbers_move(text):
        return True
    for length in range(_SHORTEST // _TIMES, min(_LONGEST, len(text) // _TIMES) + 1):
        once = text[-length:]
        if text.endswith(once * _TIMES) and any(character.isalpha() for character in once):
            return True
    return False


def _only_numbers_move(text: str) -> bool:
    """Whether the last lines are one line of numbers that count on. Where words stand beside them it is a list, and
    columns make a table: both may well have a dozen rows of one shape."""
    lines = [line.strip() for line in text.splitlines() if line.strip()][-_LINES:]
    shapes = {_NUMBER.sub("0", line) for line in lines}
    if len(lines) < _LINES or len(shapes) > 1:
        return False
    shape = shapes.pop()
    return "0" in shape and "|" not in shape and not any(character.isalpha() for character in shape)
