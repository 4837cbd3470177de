"""A weak model that says the same thing for ever: seen while it writes, so that nobody waits for its last token."""

from __future__ import annotations

import re

_TIMES = 4
_LINES = 8
_NUMBER = re.compile(r"\d+")
_SHORTEST, _LONGEST = 48, 240  # characters of the whole that is repeated, and of one time


def goes_in_circles(text: str) -> bool:
    """Whether a text ends with the same words four times over. Rules and rows of signs (`-----`) are no words.

    Lines that differ in nothing but their numbers, eight times over, are the same words too (`64. 73:00`, `65. 73:30`).
    """
    if _only_numbers_move(text):
        return True
    for length in range(_SHORTEST // _TIMES, min(_LONGEST, len(text) // _TIMES) + 1):
        once = text[-length:]
        if text.endswith(once * _TIMES) and any(character.isalpha() for character in once):
            return True
    return False


def _only_numbers_move(text: str) -> bool:
    """Whether the last lines are one line whose numbers count on. Lines of words alone are left to the test above; so
    is a table, whose columns may well hold the same words in a dozen rows."""
    lines = [line.strip() for line in text.splitlines() if line.strip()][-_LINES:]
    shapes = {_NUMBER.sub("0", line) for line in lines}
    return len(lines) == _LINES and len(shapes) == 1 and "0" in shapes.pop() and "|" not in lines[-1]
