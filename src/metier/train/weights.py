"""Trained weights to and from folders that anybody's tools load: PEFT's adapter format, transformers' model format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch.distributed.tensor import DTensor, distribute_tensor

from metier.train.state import trainable, whole, write_tensors

ADAPTER_WEIGHTS = "adapter_model.safetensors"


def is_adapter(model: Any) -> bool:
    """Whether what is trained is a PEFT adapter."""
    return hasattr(model, "peft_config")


def gather_weights(model: Any) -> dict[str, torch.Tensor]:
    """Trained weights (adapter) or all weights (full), whole and on the CPU. Collective where the model is sharded."""
    named = trainable(model) if is_adapter(model) else model.state_dict().items()
    return {name: whole(tensor) for name, tensor in named}


def write_weights(model: Any, tensors: dict[str, torch.Tensor], folder: Path) -> None:
    """Writes what `gather_weights` gave as an adapter folder or a model folder."""
    if is_adapter(model):
        from peft import get_peft_model_state_dict

        config = model.peft_config["default"]
        before = config.inference_mode
        config.inference_mode = True
        config.save_pretrained(folder)
        config.inference_mode = before
        plain = get_peft_model_state_dict(model, state_dict=tensors, save_embedding_layers=False)
        write_tensors({name: tensor.contiguous() for name, tensor in plain.items()}, folder / ADAPTER_WEIGHTS)
    else:
        model.save_pretrained(folder, state_dict=tensors)


def replace_weights(model: Any, folder: Path) -> None:
    """Loads what `write_weights` wrote into a model that may be sharded.

    Raises ValueError where a trained weight is missing. Collective where the model is sharded.
    """
    stored: dict[str, torch.Tensor] = {}
    for path in sorted(folder.glob("*model*.safetensors")):
        stored.update(load_file(path))
    missing = []
    with torch.no_grad():
        for name, parameter in trainable(model):
            # PEFT leaves the adapter's name out of the names it stores.
            value = stored.get(name.replace(".default.", ".") if is_adapter(model) else name)
            if value is None:
                missing.append(name)
                continue
            data = parameter.data
            if isinstance(data, DTensor):
                value = distribute_tensor(value.to(data.device), data.device_mesh, list(data.placements))
            parameter.copy_(value)
    tied = set(getattr(model, "all_tied_weights_keys", None) or ())
    if set(missing) - tied:
        raise ValueError(f"{folder}: missing {missing[:3]}")
