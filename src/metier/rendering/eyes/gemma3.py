"""Gemma 3: a picture is a fixed number of tokens, which see one another in both directions.

Shapes: B rows, L tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from metier.data.messages import ImagePart
from metier.data.pictures import open_picture
from metier.rendering.eyes.base import Eyes, Seen, padded

if TYPE_CHECKING:
    import torch

_TOKENS = 256  # of a picture, where the processor's file names no other number


class Gemma3Eyes(Eyes):
    """Pictures are looked at whole: crops beside them (pan and scan), off in what is published, are not made."""

    def __init__(self, process: Any, tokenizer: Any, settings: Mapping[str, Any]) -> None:
        super().__init__(process, tokenizer, settings)
        self.placeholder = str(tokenizer.boi_token)
        tokens = str(tokenizer.image_token) * int(settings.get("image_seq_length") or _TOKENS)
        self._written = f"\n\n{tokenizer.boi_token}{tokens}{tokenizer.eoi_token}\n\n"
        self.token = tokenizer.convert_tokens_to_ids(str(tokenizer.image_token))

    def written(self, picture: ImagePart) -> str:
        return self._written

    def cost(self, pictures: int) -> int:
        side = int(self.process.size["height"]) // 14  # SigLIP's patches
        return pictures * side * side

    def tensors(self, rows: Sequence[Seen], width: int, *, left: bool = False) -> dict[str, torch.Tensor]:
        import torch

        pictures = [open_picture(picture) for row in rows for picture in row.pictures]
        if not pictures:
            return {}
        made = self.process(images=pictures, do_pan_and_scan=False, return_tensors="pt")
        kinds_BL = torch.zeros(len(rows), width, dtype=torch.long)
        for number, row in enumerate(rows):
            ids = torch.tensor(list(row.input_ids))
            kinds_BL[number, padded(row, width, left)] = (ids == self.token).long()
        return {"pixel_values": made["pixel_values"], "token_type_ids": kinds_BL}

    def unseen(self, row: Seen) -> int:
        # The mask of a picture's tokens counts from a row's beginning, which must not lie in a shared part.
        return 0 if row.pictures else len(row.input_ids)
