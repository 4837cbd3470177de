"""Text of a growing answer: whole characters only, and never a part of a stop text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_UNFINISHED = "\ufffd"


class IncrementalText:
    """Turns tokens into text pieces whose concatenation is the answer's text.

    decode: ids → text without special tokens; stop: texts that end the answer (they are not emitted). Pieces wait while
    a character's bytes are incomplete, and while their end could be the beginning of a stop text.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], stop: Sequence[str] = ()) -> None:
        self._decode = decode
        self._stop = tuple(stop)
        self._ids: list[int] = []
        # Text of ids[:_read] is known. Decoding starts a little earlier (_context), since tokenizers render a token
        # differently at the start of a text (a leading space is dropped, for one).
        self._context = 0
        self._read = 0
        self._held = ""
        self.text = ""
        self.stopped = False

    def push(self, token: int) -> str:
        """Adds one token; returns what may be shown now, and sets `stopped` when a stop text was completed."""
        self._ids.append(token)
        return self._release(self._new_text(final=False), final=False)

    def finish(self) -> str:
        """Returns what was still held back."""
        if self.stopped:
            return ""
        return self._release(self._new_text(final=True), final=True)

    def _new_text(self, *, final: bool) -> str:
        known = self._decode(self._ids[self._context : self._read])
        text = self._decode(self._ids[self._context :])
        if not final and (text.endswith(_UNFINISHED) or len(text) <= len(known)):
            return ""
        self._context, self._read = self._read, len(self._ids)
        return text[len(known) :]

    def _release(self, new: str, *, final: bool) -> str:
        self._held += new
        found = [at for at in (self._held.find(stop) for stop in self._stop) if at >= 0]
        if found:
            self.stopped = True
            piece, self._held = self._held[: min(found)], ""
        else:
            keep = 0 if final else self._possible_stop()
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
