"""A weak model that says the same thing for ever: seen while it writes, so that nobody waits for its last token."""

from __future__ import annotations

_TIMES = 4
_SHORTEST, _LONGEST = 48, 240  # characters of the whole that is repeated, and of one time


def goes_in_circles(text: str) -> bool:
    """Whether a text ends with the same words four times over. Rules and rows of signs (`-----`) are no words."""
    for length in range(_SHORTEST // _TIMES, min(_LONGEST, len(text) // _TIMES) + 1):
        once = text[-length:]
        if text.endswith(once * _TIMES) and any(character.isalpha() for character in once):
            return True
    return False
