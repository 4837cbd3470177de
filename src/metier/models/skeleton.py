"""A model without weights: the real architecture on meta tensors, to count exactly what training it would take."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.core.errors import ModelError
from metier.models.catalogue import CatalogueEntry, find, preset_config
from metier.models.checks import read_model_config
from metier.models.load import load_config, model_class
from metier.models.nohub import no_hub, quiet
from metier.models.parts import Part, lora_modules, part_of
from metier.models.resolve import ResolvedModel
from metier.models.store import stored


@dataclass(frozen=True, slots=True)
class LayerCache:
    """What one layer remembers of a token while generating. elements: numbers a token; window: tokens kept, or None."""

    elements: int
    window: int | None


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The measures of a model, all in numbers of parameters or elements, none in bytes.

    parameters: of the base model; trainable: that training changes; adapted: modules with a LoRA pair;
    block: parameters of the largest repeated block (what sharded training gathers at a time);
    root: parameters outside of blocks (embeddings, head);
    layer_elements: numbers kept for the backward pass by one layer, per token; caches: per layer.
    """

    name: str
    kind: str
    vision: bool
    parameters: int
    trainable: int
    adapted: int
    block: int
    root: int
    layers: int
    hidden: int
    heads: int
    key_value_heads: int
    vocabulary: int
    context: int
    layer_elements: int
    caches: tuple[LayerCache, ...]


def build_skeleton(
    reference: str,
    *,
    lora_rank: int | None = None,
    lora_target: str = "all",
    full: bool = False,
    frozen: Collection[Part] = ("vision", "projector"),
) -> Skeleton:
    """Measures a model by name, store or folder; no weights are needed, no memory is taken for them.

    lora_rank: attach LoRA of this rank to `lora_target` (`all`, or module names with commas); full: train everything;
    frozen: parts of a vision model that do not learn.
    Raises ModelError if the configuration is not known here, or a target names no module.
    """
    import torch

    config, name = find_config(reference)
    with torch.device("meta"), no_hub():
        model = model_class(config).from_config(config)
    parameters = _count(model.parameters())
    blocks = _blocks(model)
    learnt = (item for name, item in model.named_parameters() if part_of(name) not in frozen)
    trainable, adapted = (_count(learnt) if full else 0), 0
    if lora_rank is not None and not full:
        trainable, adapted = _attach_lora(model, lora_rank, lora_target, frozen)
    text = config.get_text_config()
    heads = text.num_attention_heads
    return Skeleton(
        name=name,
        kind=config.model_type,
        vision=hasattr(config, "vision_config"),
        parameters=parameters,
        trainable=trainable,
        adapted=adapted,
        block=max(blocks, default=parameters),
        root=parameters - sum(blocks),
        layers=text.num_hidden_layers,
        hidden=text.hidden_size,
        heads=heads,
        key_value_heads=_key_value_heads(text),
        vocabulary=text.vocab_size,
        context=text.max_position_embeddings,
        layer_elements=_layer_elements(text),
        caches=_caches(text),
    )


def find_config(reference: str) -> tuple[Any, str]:
    """The configuration of a model and the name it goes by: from its folder, the store, or the presets."""
    entry = find(reference)
    known = stored(entry.name if entry else reference)
    folder = known.folder if known else Path(reference).expanduser()
    if known or (folder / "config.json").is_file():
        return load_config(ResolvedModel(reference, folder, entry)), entry.title if entry else folder.name
    if entry is None:
        raise ModelError("models.no_preset", name=reference)
    return config_from_preset(entry), entry.title


def config_from_preset(entry: CatalogueEntry) -> Any:
    """The configuration that ships for a model of the catalogue."""
    from transformers import AutoConfig

    values = preset_config(entry)
    if values is None:
        raise ModelError("models.no_preset", name=entry.name)
    kind = values.pop("model_type")
    return AutoConfig.for_model(kind, **values)


def weights_bytes(reference: str) -> tuple[int, bool]:
    """Bytes of a model's weights, and whether they are here already."""
    entry = find(reference)
    known = stored(entry.name if entry else reference)
    folder = known.folder if known else Path(reference).expanduser()
    if folder.is_dir() and read_model_config(folder):
        return sum(path.stat().st_size for path in folder.glob("*.safetensors")), True
    return (entry.size_bytes if entry else 0), False


def _attach_lora(model: Any, rank: int, target: str, frozen: Collection[Part]) -> tuple[int, int]:
    import torch
    from peft import LoraConfig, get_peft_model
    from peft.tuners.lora import LoraLayer

    options = LoraConfig(r=rank, target_modules=lora_modules(model, target, frozen), task_type="CAUSAL_LM")
    try:
        with torch.device("meta"), quiet():
            adapted = get_peft_model(model, options, low_cpu_mem_usage=True)
    except ValueError as error:
        raise ModelError("models.no_lora_target", target=target) from error
    pairs = sum(isinstance(module, LoraLayer) for module in adapted.modules())
    return _count(item for item in adapted.parameters() if item.requires_grad), pairs


def _count(parameters: Iterator[Any]) -> int:
    return sum(item.numel() for item in parameters)


def _blocks(model: Any) -> list[int]:
    """Parameters of each block that FSDP shards on its own, as transformers names them (`_no_split_modules`)."""
    names = set(model._no_split_modules or ())
    for part in model.modules():
        names |= set(getattr(part, "_no_split_modules", None) or ())
    return [_count(part.parameters()) for part in model.modules() if type(part).__name__ in names]


def _key_value_heads(text: Any) -> int:
    return int(getattr(text, "num_key_value_heads", None) or text.num_attention_heads)


def _head_size(text: Any) -> int:
    return int(getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads)


def _layer_elements(text: Any) -> int:
    """Numbers that one decoder layer keeps per token for its backward pass, with attention that keeps no scores.

    Two norms (input, and its float32 copy as two numbers: 2 × 3 × hidden), the two residual sums (2 × hidden), queries
    and attention output (2 × heads × size), keys and values (2 × key-value heads × size), and the four wide tensors of
    a gated MLP (gate, its activation, up, their product). After Korthikanti et al. 2022 (arXiv:2205.05198), for the
    gated MLP and grouped keys of today's models.
    """
    size = _head_size(text)
    wide = text.intermediate_size
    experts = getattr(text, "num_experts_per_tok", None)
    if experts:
        wide = experts * getattr(text, "moe_intermediate_size", wide)
    attention = 2 * text.num_attention_heads * size + 2 * _key_value_heads(text) * size
    return int(8 * text.hidden_size + attention + 4 * wide)


def _caches(text: Any) -> tuple[LayerCache, ...]:
    elements = 2 * _key_value_heads(text) * _head_size(text)
    kinds = getattr(text, "layer_types", None) or ["full_attention"] * text.num_hidden_layers
    window = getattr(text, "sliding_window", None)
    return tuple(LayerCache(elements, window if kind == "sliding_attention" else None) for kind in kinds)
