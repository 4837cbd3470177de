"""Qwen2-VL, Qwen2.5-VL and Qwen3-VL: a picture is as many tokens as its size makes, placed on a grid.

Shapes: A axes (time, height, width), B rows, L tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from metier.data.messages import ImagePart
from metier.data.pictures import open_picture, picture_header
from metier.rendering.eyes.base import Eyes, Seen, padded
from metier.rendering.template import Refused

if TYPE_CHECKING:
    import torch

Grid = tuple[int, int]  # tokens down and across


class QwenEyes(Eyes):
    """Positions are computed here, by the rule that transformers' models apply: text counts on, on all three axes at
    once; a picture's tokens stand at their row and column, and what follows counts on behind its longer side."""

    def __init__(self, process: Any, tokenizer: Any, settings: Mapping[str, Any]) -> None:
        super().__init__(process, tokenizer, settings)
        self.placeholder = str(getattr(tokenizer, "image_token", None) or "<|image_pad|>")
        self.token = tokenizer.convert_tokens_to_ids(self.placeholder)

    def written(self, picture: ImagePart) -> str:
        header = picture_header(picture)
        try:
            patches = self.process.get_number_of_image_patches(header.height, header.width)
        except ValueError as error:  # more than 200 times as long as wide
            raise Refused("rendering.reason_too_long") from error
        return self.placeholder * (int(patches) // int(self.process.merge_size) ** 2)

    def cost(self, pictures: int) -> int:
        return 0  # a picture's patches are four times its tokens, which are counted: near enough

    def tensors(self, rows: Sequence[Seen], width: int, *, left: bool = False) -> dict[str, torch.Tensor]:
        import torch

        pictures = [open_picture(picture) for row in rows for picture in row.pictures]
        if not pictures:
            return {}
        made = self.process(images=pictures, return_tensors="pt")
        merge = int(self.process.merge_size)
        grids = iter([(int(high) // merge, int(wide) // merge) for _, high, wide in made["image_grid_thw"].tolist()])
        positions_ABL = torch.zeros(3, len(rows), width, dtype=torch.long)
        for number, row in enumerate(rows):
            own = [next(grids) for _ in row.pictures]
            positions_ABL[:, number, padded(row, width, left)] = torch.tensor(self.positions(row, own))
        return {**made, "position_ids": positions_ABL}

    def positions(self, row: Seen, grids: Sequence[Grid]) -> list[list[int]]:
        """Where each token of a row stands on each axis."""
        axes: list[list[int]] = [[], [], []]
        waiting, here, done = iter(grids), row.start, 0
        ids = row.input_ids
        while done < len(ids):
            if ids[done] != self.token:
                for axis in axes:
                    axis.append(here)
                here, done = here + 1, done + 1
                continue
            high, wide = next(waiting)
            for down in range(high):
                axes[0] += [here] * wide
                axes[1] += [here + down] * wide
                axes[2] += range(here, here + wide)
            here, done = here + max(high, wide), done + high * wide
        return axes
