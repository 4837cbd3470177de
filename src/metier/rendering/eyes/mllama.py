"""Llama 3.2 Vision: a picture is one token, and layers of their own attend to its tiles.

Shapes: B rows, P pictures of a row, T tiles of a picture, L tokens; a tile is (3, height, width).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from metier.data.messages import ImagePart
from metier.data.pictures import open_picture
from metier.rendering.eyes.base import Eyes, Seen, padded

if TYPE_CHECKING:
    import torch


class MllamaEyes(Eyes):
    """Rows of unlike numbers of pictures are kept apart: a token that stands before a row's pictures attends to all
    that the batch holds for the row, padding included, so company would change what it sees."""

    def __init__(self, process: Any, tokenizer: Any, settings: Mapping[str, Any]) -> None:
        super().__init__(process, tokenizer, settings)
        self.placeholder = str(getattr(tokenizer, "image_token", None) or "<|image|>")
        self.token = tokenizer.convert_tokens_to_ids(self.placeholder)

    def written(self, picture: ImagePart) -> str:
        return self.placeholder

    def group(self, pictures: int) -> int:
        return pictures

    def cost(self, pictures: int) -> int:
        # Attended to by few of the layers, but seen by a whole tower of their own: counted as tokens of 16 × 16.
        tile = int(self.process.size["height"]) // 16
        return pictures * int(self.process.max_image_tiles) * tile * tile

    def tensors(self, rows: Sequence[Seen], width: int, *, left: bool = False) -> dict[str, torch.Tensor]:
        if not any(row.pictures for row in rows):
            return {}
        made = self.process(
            images=[[open_picture(picture) for picture in row.pictures] for row in rows], return_tensors="pt"
        )
        tiles = made.pop("num_tiles")
        return {**made, "cross_attention_mask": self.mask(rows, tiles, width, left=left)}

    def mask(
        self, rows: Sequence[Seen], tiles: Sequence[Sequence[int]], width: int, *, left: bool = False
    ) -> torch.Tensor:
        """Which tiles each token looks at, [B, L, P, T]. tiles: how many each picture of each row was cut into."""
        import torch
        from transformers.models.mllama.processing_mllama import (
            convert_sparse_cross_attention_mask_to_dense,
            get_cross_attention_token_mask,
        )

        most = int(self.process.max_image_tiles)
        mask_BLPT = torch.zeros(len(rows), width, max(map(len, tiles)), most, dtype=torch.long)
        for number, (row, tiles_P) in enumerate(zip(rows, tiles, strict=True)):
            places = get_cross_attention_token_mask(list(row.input_ids), self.token)
            dense = convert_sparse_cross_attention_mask_to_dense([places], [tiles_P], most, len(row.input_ids))
            mask_BLPT[number, padded(row, width, left), : len(tiles_P)] = torch.from_numpy(dense[0])
        return mask_BLPT

    def lasting(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        # A new token looks at what the one before it looked at.
        return {name: tensor[:, -1:] for name, tensor in tensors.items() if name == "cross_attention_mask"}

    def unseen(self, row: Seen) -> int:
        return 0 if row.pictures else len(row.input_ids)
