"""What a frozen vision tower makes of a picture, computed once and kept for the epochs to come.

Looking is most of the work of a step (four fifths at the sizes of our benches), and a tower and projector that do not
learn see the same in every epoch. Each picture is looked at alone, kept or not, so that what is learnt depends neither
on its neighbours nor on where a training was interrupted. What is kept is bounded; pictures beyond are looked at anew.

Shapes: B rows, P pictures of a row, T tiles, N places on a tile, D width of the language model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import torch

from metier.data.messages import ImagePart
from metier.data.pictures import open_picture, read_picture
from metier.models import hardware
from metier.rendering.eyes import Eyes, Seen
from metier.rendering.eyes.mllama import MllamaEyes
from metier.train.spec import TrainSpec

_SHARE = 1 / 8  # of the machine's memory, for all processes together


def remembering(eyes: Eyes, spec: TrainSpec, model: Any) -> Eyes:
    """Eyes that remember where nothing that looks learns and the model takes what was seen; else `eyes` as they are."""
    frozen = {"vision", "projector"} <= set(spec.frozen)
    if not frozen or type(eyes) is not MllamaEyes:
        return eyes
    return RememberingEyes(eyes, model, int(hardware().memory * _SHARE / spec.num_processes))


class RememberingEyes(MllamaEyes):
    """Gives the model what its tower and projector made of pictures instead of the pictures.

    model: whose tower looks, PEFT around it or not; limit: bytes kept at most.
    """

    def __init__(self, eyes: MllamaEyes, model: Any, limit: int) -> None:
        super().__init__(eyes.process, eyes.tokenizer, eyes.settings)
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._core = base.model
        self._left = limit
        self._kept: dict[bytes, tuple[int, torch.Tensor]] = {}

    def tensors(self, rows: Sequence[Seen], width: int, *, left: bool = False) -> dict[str, torch.Tensor]:
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
            size = known[1].numel() * known[1].element_size()
            if size <= self._left:
                self._kept[key] = known
                self._left -= size
        return known

    @torch.no_grad()
    def _look(self, picture: ImagePart) -> tuple[int, torch.Tensor]:
        made = self.process(images=[[open_picture(picture)]], return_tensors="pt")
        ((tiles,),) = made.pop("num_tiles")
        device = self._core.multi_modal_projector.weight.device
        looked = self._core.vision_model(**{name: tensor.to(device) for name, tensor in made.items()})
        states_TND = self._core.multi_modal_projector(looked.last_hidden_state)[0, 0]
        return tiles, states_TND.cpu()
