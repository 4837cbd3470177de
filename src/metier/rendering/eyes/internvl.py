"""InternVL: a picture is cut into tiles, with a small one of the whole, each a fixed number of tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from metier.data.messages import ImagePart
from metier.data.pictures import open_picture, picture_header
from metier.rendering.eyes.base import Eyes, Seen

if TYPE_CHECKING:
    import torch

_TOKENS = 256  # of a tile, where the processor's file names no other number
_CUT = {"crop_to_patches": True}  # InternVL's own processor sets it, its image processor's file need not


class InternVLEyes(Eyes):
    """The tiles of all rows follow one another; the model hands them to their tokens in that order."""

    def __init__(self, process: Any, tokenizer: Any, settings: Mapping[str, Any]) -> None:
        super().__init__(process, tokenizer, settings)
        self.placeholder = str(tokenizer.context_image_token)
        self._tile = self.placeholder * int(settings.get("image_seq_length") or _TOKENS)
        self.token = tokenizer.convert_tokens_to_ids(self.placeholder)

    def written(self, picture: ImagePart) -> str:
        header = picture_header(picture)
        tiles = int(self.process.get_number_of_image_patches(header.height, header.width, _CUT))
        return f"{self.tokenizer.start_image_token}{self._tile * tiles}{self.tokenizer.end_image_token}"

    def cost(self, pictures: int) -> int:
        return 0  # a tile's patches are four times its tokens, which are counted: near enough

    def tensors(self, rows: Sequence[Seen], width: int, *, left: bool = False) -> dict[str, torch.Tensor]:
        pictures = [open_picture(picture) for row in rows for picture in row.pictures]
        if not pictures:
            return {}
        return {"pixel_values": self.process(images=pictures, return_tensors="pt", **_CUT)["pixel_values"]}
