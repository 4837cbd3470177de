"""What all families share: pictures stand in a template's text as placeholders, and become tokens and tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metier.data.messages import ImagePart
from metier.rendering.template import Refused

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Seen:
    """A row as a vision model sees it: its tokens, and the pictures that stand among them, in order.

    start: tokens before these that the model has seen already.
    """

    input_ids: Sequence[int]
    pictures: Sequence[ImagePart]
    start: int = 0


def padded(row: Seen, width: int, left: bool) -> slice:
    """Where a row's tokens stand once it is padded to `width` on the left, or on the right."""
    length = len(row.input_ids)
    return slice(width - length, width) if left else slice(0, length)


class Eyes(ABC):
    """One model's way with pictures.

    placeholder: what its chat template writes for a picture; token: the id that a picture's places in a row have;
    process: its image processor, PIL pictures to arrays; settings: what the processor's files say.
    """

    placeholder: str
    token: int

    def __init__(self, process: Any, tokenizer: Any, settings: Mapping[str, Any]) -> None:
        self.process = process
        self.tokenizer = tokenizer
        self.settings = settings

    def expand(self, text: str, pictures: Sequence[ImagePart]) -> str:
        """`text` with each placeholder written out as the tokens of its picture. Raises Refused where the counts
        differ: a placeholder in somebody's words would be taken for a picture."""
        pieces = text.split(self.placeholder)
        if len(pieces) - 1 != len(pictures):
            raise Refused("rendering.reason_placeholder")
        written = [self.written(picture) for picture in pictures]
        return pieces[0] + "".join(one + piece for one, piece in zip(written, pieces[1:], strict=True))

    @abstractmethod
    def written(self, picture: ImagePart) -> str:
        """The tokens of one picture, as text."""

    def group(self, pictures: int) -> int:
        """Rows may be computed together where this is equal for their numbers of pictures."""
        return 0

    @abstractmethod
    def cost(self, pictures: int) -> int:
        """What looking at a row's pictures takes, in tokens, beside those that stand for them in the row."""

    @abstractmethod
    def tensors(self, rows: Sequence[Seen], width: int, *, left: bool = False) -> dict[str, torch.Tensor]:
        """What the model's forward takes beside the token ids of `rows`, padded to `width` on the right (or `left`).

        Pictures are opened now: whoever asks for a batch at a time keeps no more in memory than that batch. Empty
        where no row has a picture. What is named like a usual argument (`position_ids`) takes its place.
        """

    def lasting(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Of what `tensors` gave for rows padded on the left, what each further token takes too: one row each."""
        return {}

    def unseen(self, row: Seen) -> int:
        """Tokens at a row's beginning that do not depend on its pictures: those before the first of them."""
        return list(row.input_ids).index(self.token) if row.pictures else len(row.input_ids)
