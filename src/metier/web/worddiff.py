"""Two texts in words: which of them stand in both, which in one alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_MOST = 2_000  # words of one text: beyond that the comparison takes too long
# Words, single characters where a script has no spaces, runs of space, and single marks.
_WORD = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\W\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]+|\s+|.")


@dataclass(frozen=True)
class Piece:
    """A stretch of text. alone: it stands in this text only."""

    text: str
    alone: bool


def word_difference(left: str, right: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces. Equal texts, very long ones and ones with nothing in common are left in one piece."""
    first, second = _WORD.findall(left), _WORD.findall(right)
    if left == right or max(len(first), len(second)) > _MOST:
        return [Piece(left, False)], [Piece(right, False)]
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    if matcher.ratio() < 0.1:
        return [Piece(left, False)], [Piece(right, False)]
    pieces: tuple[list[Piece], list[Piece]] = ([], [])
    for tag, from_left, to_left, from_right, to_right in matcher.get_opcodes():
        for side, words in zip(pieces, (first[from_left:to_left], second[from_right:to_right]), strict=True):
            if words:
                side.append(Piece("".join(words), tag != "equal"))
    return pieces
