"""Text of a growing answer: whole characters only, and never a part of a stop text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from metier.rendering import IncrementalDecoder

if TYPE_CHECKING:
    from metier.rendering import Renderer


class IncrementalText:
    """Turns tokens into text pieces whose concatenation is the answer's text.

    stop: texts that end the answer (they are not emitted). Pieces wait while a character's bytes are incomplete, and
    while their end could be the beginning of a stop text.
    """

    def __init__(self, renderer: Renderer, stop: Sequence[str] = ()) -> None:
        self._decoder = IncrementalDecoder(renderer)
        self._stop = tuple(stop)
        self._held = ""
        self.text = ""
        self.stopped = False

    def push(self, token: int) -> str:
        """Adds one token; returns what may be shown now, and sets `stopped` when a stop text was completed."""
        self._held += self._decoder.push(token)
        return self._release(keep=self._possible_stop())

    def finish(self) -> str:
        """Returns what was still held back."""
        if self.stopped:
            return ""
        self._held += self._decoder.finish()
        return self._release(keep=0)

    def _release(self, keep: int) -> str:
        found = [at for at in (self._held.find(stop) for stop in self._stop) if at >= 0]
        if found:
            self.stopped = True
            piece, self._held = self._held[: min(found)], ""
        else:
            cut = len(self._held) - keep
            piece, self._held = self._held[:cut], self._held[cut:]
        self.text += piece
        return piece

    def _possible_stop(self) -> int:
        """Length of the longest end of the held text with which a stop text begins."""
        longest = max((len(stop) for stop in self._stop), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stop):
                return length
        return 0
