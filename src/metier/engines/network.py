"""A transformers model as the decoder sees it: token ids in, last logits out, with whatever cache it needs."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import psutil
import torch
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

from metier.models import hardware

_SLOTTED = {"full_attention", "sliding_attention"}


class Network:
    """Forward passes of one model.

    model: a transformers model, or a PEFT model around one; adapter: False answers as the base without its adapter, a
    name with that one of several; lock: shared by networks over the same weights, since switching concerns all of them.
    """

    def __init__(self, model: Any, *, adapter: bool | str = True, lock: threading.Lock | None = None) -> None:
        self.model = model
        self.adapter = adapter
        self.lock = lock or threading.Lock()
        self.peft = hasattr(model, "peft_config")
        self.core = cast("PreTrainedModel", model.get_base_model() if self.peft else model)
        parameters = inspect.signature(self.core.forward).parameters
        # transformers renamed the argument in 5.2x; both names are in use among the versions we allow.
        self._cache_name = "cache" if "cache" in parameters else "past_key_values"
        self._keep_last = {"logits_to_keep": 1} if "logits_to_keep" in parameters else {}
        self.config = self.core.config.get_text_config(decoder=True)
        weight = self.core.get_input_embeddings().weight
        self.device: torch.device = weight.device
        self.dtype: torch.dtype = weight.dtype

    def __call__(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        position_ids: torch.Tensor,
        cache: Cache,
        seen: Mapping[str, torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """Logits behind the last token of each row, [rows, vocabulary]; `cache` takes up the tokens' states.

        seen: what the model takes of the rows' pictures, by name.
        """
        with self.lock, self._adapter_state(), torch.inference_mode():
            arguments: dict[str, Any] = {
                "input_ids": input_ids,
                "attention_mask": attention_mask,
                "position_ids": position_ids,
                "use_cache": True,
                self._cache_name: cache,
                **self._keep_last,
                **{name: tensor.to(self.device) for name, tensor in (seen or {}).items()},
            }
            output = self.core(**arguments)
            return cast("torch.Tensor", output.logits[:, -1])

    def _adapter_state(self) -> AbstractContextManager[None]:
        if self.peft and not self.adapter:
            return cast("AbstractContextManager[None]", self.model.disable_adapter())
        if isinstance(self.adapter, str) and self.model.active_adapter != self.adapter:
            self.model.set_adapter(self.adapter)
        return nullcontext()

    @property
    def layer_kinds(self) -> set[str]:
        """Kinds of attention among the layers."""
        kinds = getattr(self.config, "layer_types", None)
        if kinds:
            return set(kinds)
        for name, kind in (("sliding_window", "sliding_attention"), ("attention_chunk_size", "chunked_attention")):
            if getattr(self.config, name, None) is not None:
                return {kind}
        return {"full_attention"}

    @property
    def slotted(self) -> bool:
        """Whether rows can come and go in one cache: plain and sliding attention, and nothing recurrent or shared."""
        shared = getattr(self.config, "kv_sharing_modes", None) or getattr(self.config, "num_kv_shared_layers", 0)
        return not shared and self.layer_kinds <= _SLOTTED and self.new_cache_is_plain()

    @property
    def sliding(self) -> bool:
        """Whether a layer sees only its nearest tokens, so that a row's columns must lie side by side."""
        return "sliding_attention" in self.layer_kinds

    def new_cache_is_plain(self) -> bool:
        """Whether the model's own cache holds nothing but keys and values."""
        return all(isinstance(layer, DynamicLayer) for layer in self.own_cache().layers)

    def own_cache(self) -> DynamicCache:
        """The cache this model would make for itself."""
        return DynamicCache(config=self.core.config)

    @property
    def layers(self) -> int:
        return int(self.config.num_hidden_layers)

    @property
    def looking_layers(self) -> frozenset[int]:
        """Layers that attend to pictures and not to tokens (Llama 3.2 Vision)."""
        return frozenset(getattr(self.config, "cross_attention_layers", None) or ())

    @property
    def context_length(self) -> int:
        """Tokens that prompt and answer may have together."""
        return int(getattr(self.config, "max_position_embeddings", None) or 1 << 20)

    @property
    def bytes_per_token(self) -> int:
        """Bytes of keys and values that one token takes in all layers."""
        heads = getattr(self.config, "num_key_value_heads", None) or self.config.num_attention_heads
        size = getattr(self.config, "head_dim", None) or self.config.hidden_size // self.config.num_attention_heads
        return int(2 * self.layers * heads * size * self.dtype.itemsize)

    @property
    def free_bytes(self) -> int:
        """Memory that a cache may take: a share of what is free now."""
        if self.device.type == "cuda":
            return int(torch.cuda.mem_get_info(self.device)[0] * 0.8)
        # A container's limit does not show in what the machine has available.
        own = hardware().memory - psutil.Process().memory_info().rss
        return int(max(0, min(psutil.virtual_memory().available, own)) * 0.4)
