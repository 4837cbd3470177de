"""A model's measures by arithmetic on its published configuration: quick enough for a list of all, without torch.

`metier.models.skeleton` builds the model to count exactly; a test holds both together.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from metier.models.catalogue import CatalogueEntry, preset_config
from metier.models.skeleton import Skeleton, _caches, _head_size, _key_value_heads, _layer_elements

_DEFAULTS = {"sliding_window": None, "num_key_value_heads": None, "head_dim": None, "layer_types": None}


def sketch(entry: CatalogueEntry, *, lora_rank: int) -> Skeleton | None:
    """The measures of a model of the catalogue with LoRA on all its linear layers; None where nothing is published."""
    config = preset_config(entry)
    return None if config is None else sketch_config(entry.name, config, entry.parameters, lora_rank=lora_rank)


def sketch_config(name: str, config: dict[str, Any], parameters: int, *, lora_rank: int) -> Skeleton | None:
    """The same from a `config.json`."""
    values = {**_DEFAULTS, **(config.get("text_config") or config)}
    text = SimpleNamespace(**values)
    try:
        size, hidden, layers = _head_size(text), text.hidden_size, text.num_hidden_layers
        wide, vocabulary = text.intermediate_size, text.vocab_size
        heads, shared = text.num_attention_heads, _key_value_heads(text)
    except (AttributeError, TypeError):
        return None
    linear = [
        (hidden, heads * size),
        (hidden, shared * size),
        (hidden, shared * size),
        (heads * size, hidden),
    ]
    if not getattr(text, "num_experts", None):  # experts are one tensor each, not layers that LoRA is put on
        linear += [(hidden, wide), (hidden, wide), (wide, hidden)]
    trainable = layers * lora_rank * sum(first + second for first, second in linear)
    block = sum(first * second for first, second in linear)
    return Skeleton(
        name=name,
        kind=str(config.get("model_type", "")),
        vision="vision_config" in config,
        parameters=parameters,
        trainable=trainable,
        adapted=layers * len(linear),
        block=block,
        root=max(0, parameters - layers * block),
        layers=layers,
        hidden=hidden,
        heads=heads,
        key_value_heads=shared,
        vocabulary=vocabulary,
        context=int(getattr(text, "max_position_embeddings", 0)),
        layer_elements=_layer_elements(text),
        caches=_caches(text),
    )
