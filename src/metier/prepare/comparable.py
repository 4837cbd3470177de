"""What is compared when rows are looked at for sameness: the words, not the typing.

Compatibility forms are unified (NFKC), case, spaces and punctuation do not count, but signs between numbers do (`3-2`
is not `3+2`). Questions are compared without system prompts, and without lines that a good part of the set shares (an
instruction above each row would make all rows look alike).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from metier.data import Conversation

_NOISE = re.compile(r"(?:[^\w+*/%<>=\-.]|_)+|[+*/<>=\-.]+(?!\s*\d)")
_SHARED_ROWS = 20
_SHARED_PART = 0.25
# Of longer texts only so many characters of the beginning and of the end are compared: cost grows with the square.
_COMPARED_END = 500


def normalised(text: str) -> str:
    """`text` as it is compared."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).casefold())


def questions(conversations: Iterable[Conversation], *, boilerplate: frozenset[str] = frozenset()) -> list[str]:
    """The comparable question of each row: all that stands before its last answer, without system prompts."""
    return ["".join(line for line in _lines(row) if line not in boilerplate) for row in conversations]


def boilerplate(*sets: Sequence[Conversation]) -> frozenset[str]:
    """Normalised lines that at least 20 rows, and a quarter of all, share."""
    counts: Counter[str] = Counter()
    rows = 0
    for conversations in sets:
        for row in conversations:
            counts.update(set(_lines(row)))
            rows += 1
    least = max(_SHARED_ROWS, _SHARED_PART * rows)
    return frozenset(line for line, count in counts.items() if count >= least)


def shortened(text: str) -> str:
    """`text`, or the two ends of a long one."""
    return text if len(text) <= 2 * _COMPARED_END else text[:_COMPARED_END] + text[-_COMPARED_END:]


def _lines(row: Conversation) -> list[str]:
    """Normalised lines of the question. Pictures count: one question on two pictures is two rows."""
    lines = []
    for turn in row.prompt:
        if turn.role == "system":
            continue
        lines += [f"[{image.path or image.url or hash(image.data)}]" for image in turn.images]
        lines += [normalised(line) for line in turn.text.splitlines()]
    return [line for line in lines if line]
