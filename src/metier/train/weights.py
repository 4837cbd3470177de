"""Trained weights to and from folders that anybody's tools load: PEFT's adapter format, transformers' model format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

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
    """Loads what `write_weights` wrote into a model that may be sharded or wrapped."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    stored: dict[str, torch.Tensor] = {}
    for path in sorted(folder.glob("*model*.safetensors")):
        stored.update(load_file(path))
    with torch.no_grad():
        for name, parameter in trainable(model):
            # PEFT leaves the adapter's name out of the names it stores.
            value = stored.get(name.replace(".default.", ".")) if is_adapter(model) else stored.get(name)
            if value is None:  # tied to a weight that is stored under its other name
                continue
            data = parameter.data
            if isinstance(data, DTensor):
                value = distribute_tensor(value.to(data.device), data.device_mesh, list(data.placements))
            parameter.copy_(value)


def read_weights(model: Any, folder: Path) -> None:
    """Loads what `write_weights` wrote into `model`, not yet sharded; raises ValueError where they do not fit."""
    if is_adapter(model):
        from peft import set_peft_model_state_dict

        result = set_peft_model_state_dict(model, load_file(folder / ADAPTER_WEIGHTS))
        if result.unexpected_keys:
            raise ValueError(f"{folder}: unexpected {result.unexpected_keys[:3]}")
        return
    tensors: dict[str, torch.Tensor] = {}
    for path in sorted(folder.glob("model*.safetensors")):
        tensors.update(load_file(path))
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    tied = set(getattr(model, "all_tied_weights_keys", None) or ())
    if unexpected or set(missing) - tied:
        raise ValueError(f"{folder}: unexpected {unexpected[:3]}, missing {missing[:3]}")
