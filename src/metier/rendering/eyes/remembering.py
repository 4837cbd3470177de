"""What a vision tower makes of a picture, computed once and kept, while nothing that looks changes.

Looking is most of the work where answers are short: training with a frozen tower sees the same pictures in every epoch,
a conversation in every turn, a test set in several questions. Each picture is looked at alone, kept or not, so that a
result depends neither on its neighbours nor on what was asked before. What is kept is bounded.

Shapes: B rows, P pictures of a row, T tiles, N places on a tile, D width of the language model.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from metier.data.messages import ImagePart
from metier.data.pictures import open_picture, read_picture
from metier.rendering.eyes.base import Eyes, Seen
from metier.rendering.eyes.mllama import MllamaEyes

if TYPE_CHECKING:
    import torch


def remembering(eyes: Eyes, model: Any, limit: int, *, newest: bool = False) -> Eyes:
    """Eyes that remember, where the model takes what was seen instead of pictures (Llama 3.2 Vision); else `eyes`."""
    return RememberingEyes(eyes, model, limit, newest=newest) if type(eyes) is MllamaEyes else eyes


class RememberingEyes(MllamaEyes):
    """Gives the model what its tower and projector made of pictures instead of the pictures.

    model: whose tower looks, PEFT around it or not; limit: bytes kept at most; newest: whether the newest are kept, as
    suits a conversation, or the first, as suits epochs, in which each would be gone before it comes again.
    """

    def __init__(self, eyes: MllamaEyes, model: Any, limit: int, *, newest: bool = False) -> None:
        super().__init__(eyes.process, eyes.tokenizer, eyes.settings)
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._core = base.model
        self._left = limit
        self._newest = newest
        self._kept: OrderedDict[bytes, tuple[int, torch.Tensor]] = OrderedDict()

    def tensors(self, rows: Sequence[Seen], width: int, *, left: bool = False) -> dict[str, torch.Tensor]:
        import torch

        if not any(row.pictures for row in rows):
            return {}
        seen = [[self._seen(picture) for picture in row.pictures] for row in rows]
        states = torch.cat([states_TND for pictures in seen for _, states_TND in pictures])
        tiles = [[tiles for tiles, _ in pictures] for pictures in seen]
        return {"cross_attention_states": states, "cross_attention_mask": self.mask(rows, tiles, width, left=left)}

    def _seen(self, picture: ImagePart) -> tuple[int, torch.Tensor]:
        """Tiles of a picture, and what was seen on them, [T, N, D]."""
        key = hashlib.sha256(read_picture(picture)).digest()
        known = self._kept.get(key)
        if known is None:
            known = self._look(picture)
            self._keep(key, known)
        elif self._newest:
            self._kept.move_to_end(key)
        return known

    def _keep(self, key: bytes, seen: tuple[int, torch.Tensor]) -> None:
        size = _bytes(seen[1])
        while self._newest and size > self._left and self._kept:
            self._left += _bytes(self._kept.popitem(last=False)[1][1])
        if size <= self._left:
            self._kept[key] = seen
            self._left -= size

    def _look(self, picture: ImagePart) -> tuple[int, torch.Tensor]:
        import torch

        made = self.process(images=[[open_picture(picture)]], return_tensors="pt")
        ((tiles,),) = made.pop("num_tiles")
        device = self._core.multi_modal_projector.weight.device
        with torch.no_grad():
            looked = self._core.vision_model(**{name: tensor.to(device) for name, tensor in made.items()})
            states_TND = self._core.multi_modal_projector(looked.last_hidden_state)[0, 0]
        return tiles, states_TND.cpu()


def _bytes(tensor: torch.Tensor) -> int:
    return int(tensor.numel() * tensor.element_size())
