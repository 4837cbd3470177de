"""One answer while it grows."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from metier.data.messages import ImagePart
from metier.engines.base import FinishReason
from metier.engines.incremental import IncrementalText


@dataclass(slots=True, eq=False)
class Row:
    """A prompt and its answer so far.

    index: its number among the prompts; limit: tokens the answer may have; text: follows the answer's text, where stop
    texts or streaming need it; pictures: of the prompt; extra: what looking at them takes, in tokens
    """

    index: int
    prompt_ids: Sequence[int]
    seed: int
    limit: int
    text: IncrementalText | None = None
    pictures: Sequence[ImagePart] = ()
    extra: int = 0
    ids: list[int] = field(default_factory=list)
    piece: str = ""
    finish: FinishReason | None = None

    def accept(self, token: int, stop_ids: Container[int]) -> None:
        """Adds a token and says in `finish` whether the answer ended; `piece` is the text that became certain."""
        self.ids.append(token)
        self.piece = ""
        if token in stop_ids:
            self.finish = "stop"
        elif self.text is not None:
            self.piece = self.text.push(token)
            if self.text.stopped:
                self.finish = "stop"
        if self.finish is None and len(self.ids) >= self.limit:
            self.finish = "length"
        if self.finish is not None and self.text is not None:
            self.piece += self.text.finish()
