"""Tells thinking from answer while the text is still coming."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from metier.rendering.thinking import CLOSING, OPENING

Part = tuple[Literal["thinking", "answer"], str]


class ThinkingStream:
    """Splits streamed text at `<think>` and `</think>`; the tags and the blank lines around them are left out.

    thinking: whether the text begins inside the thinking. Only a leading `<think>` opens it: one that is quoted in an
    answer stays part of the answer.
    """

    def __init__(self, *, thinking: bool = False) -> None:
        self._state: Literal["begin", "thinking", "answer"] = "thinking" if thinking else "begin"
        self._held = ""
        # Blank lines before a part's first word are not shown.
        self._fresh = True

    @property
    def answering(self) -> bool:
        """Whether all text to come is answer, as it comes."""
        return self._state == "answer" and not self._fresh and not self._held

    def push(self, text: str) -> list[Part]:
        """Takes text, returns the parts that became certain."""
        self._held += text
        return list(self._parts(final=False))

    def finish(self) -> list[Part]:
        """Returns what was still held back."""
        return list(self._parts(final=True))

    def _parts(self, *, final: bool) -> Iterator[Part]:
        if self._state == "begin":
            start = self._held.lstrip()
            if not final and OPENING.startswith(start[: len(OPENING)]) and len(start) < len(OPENING):
                return
            if start.startswith(OPENING):
                self._held = start[len(OPENING) :]
                self._state = "thinking"
            else:
                self._state, self._fresh = "answer", False
        if self._state == "thinking":
            thought, closed, rest = self._held.partition(CLOSING)
            if closed:
                yield from self._part("thinking", thought.rstrip())
                self._state, self._held, self._fresh = "answer", rest, True
            else:
                keep = 0 if final else _tail(thought)
                cut = len(thought) - keep
                self._held = thought[cut:]
                yield from self._part("thinking", thought[:cut])
        if self._state == "answer":
            answer, self._held = self._held, ""
            yield from self._part("answer", answer)

    def _part(self, kind: Literal["thinking", "answer"], text: str) -> Iterator[Part]:
        if self._fresh:
            text = text.lstrip("\n")
        if text:
            self._fresh = False
            yield kind, text


def _tail(text: str) -> int:
    """Length of the end that must wait: blanks, and what may be the beginning of the closing tag."""
    for length in range(min(len(CLOSING) - 1, len(text)), 0, -1):
        if CLOSING.startswith(text[-length:]):
            text = text[:-length]
            return length + len(text) - len(text.rstrip())
    return len(text) - len(text.rstrip())
