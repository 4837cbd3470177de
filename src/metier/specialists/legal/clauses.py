"""Cutting what a person wrote into clauses: what belongs together stands between two marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# A comma between digits belongs to a number.
_MARK = re.compile(r"[。；;！!？?\n，、]|,(?!\d)")


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece between two marks. start: where it lies in the message; before: what the message says ahead of it;
    sentence: the whole sentence around it."""

    text: str
    start: int
    before: str
    sentence: str


def clauses_of(message: str) -> Iterator[Clause]:
    """The clauses of a message, in order."""
    begin = 0
    for mark in [*_MARK.finditer(message), None]:
        end = mark.start() if mark else len(message)
        if message[begin:end].strip():
            yield Clause(message[begin:end], begin, message[:begin], _sentence(message, begin, end))
        begin = mark.end() if mark else end


def _sentence(message: str, start: int, end: int) -> str:
    stops = "。！!？?\n"
    first = max(message.rfind(stop, 0, start) for stop in stops) + 1
    last = min((at for stop in stops if (at := message.find(stop, end)) >= 0), default=len(message))
    return message[first:last]
