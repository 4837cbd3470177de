"""SmolVLM: a picture is cut into tiles that are named by row and column, with a small one of the whole behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from metier.data.messages import ImagePart
from metier.data.pictures import open_picture, picture_header
from metier.rendering.eyes.base import Eyes, Seen

if TYPE_CHECKING:
    import torch

_TOKENS = 169  # of a tile, where the processor's file names no other number


class SmolVLMEyes(Eyes):
    """Rows without pictures are computed apart: the model wants tiles of every row that it is given with some."""

    def __init__(self, process: Any, tokenizer: Any, settings: Mapping[str, Any]) -> None:
        super().__init__(process, tokenizer, settings)
        self.placeholder = str(getattr(tokenizer, "image_token", None) or "<image>")
        self._edge = str(getattr(tokenizer, "fake_image_token", None) or "<fake_token_around_image>")
        self._whole = str(getattr(tokenizer, "global_image_token", None) or "<global-img>")
        self._tile = self.placeholder * int(settings.get("image_seq_len") or _TOKENS)
        self.token = tokenizer.convert_tokens_to_ids(self.placeholder)

    def written(self, picture: ImagePart) -> str:
        header = picture_header(picture)
        _, rows, columns = self.process.get_number_of_image_patches(header.height, header.width)
        lines = [
            "".join(f"{self._edge}<row_{row + 1}_col_{column + 1}>{self._tile}" for column in range(columns)) + "\n"
            for row in range(rows)
        ]
        tiles = "".join(lines) + "\n" if lines else ""
        return f"{tiles}{self._edge}{self._whole}{self._tile}{self._edge}"

    def group(self, pictures: int) -> int:
        return min(pictures, 1)

    def cost(self, pictures: int) -> int:
        return 0  # a tile's patches are a few times its tokens, which are counted

    def tensors(self, rows: Sequence[Seen], width: int, *, left: bool = False) -> dict[str, torch.Tensor]:
        if not any(row.pictures for row in rows):
            return {}
        pictures = [[open_picture(picture) for picture in row.pictures] for row in rows]
        return dict(self.process(images=pictures, return_tensors="pt"))
