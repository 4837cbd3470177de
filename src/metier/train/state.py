"""Optimiser and random number generators as safetensors, and back, exactly. Sharded tensors are gathered and dealt out.

All functions that gather are collective: each process calls them, the first one writes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import distributed
from torch.distributed.tensor import DTensor, distribute_tensor

OPTIMIZER = "optimizer.safetensors"
RNG = "rng.safetensors"


def trainable(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Parameter]]:
    """Names and parameters that are trained, in the model's order."""
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor itself on the CPU; a sharded one gathered."""
    detached = tensor.detach()
    return (detached.full_tensor() if isinstance(detached, DTensor) else detached).cpu().contiguous()


def optimizer_tensors(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The optimiser's state as `parameter name/slot` → tensor."""
    return {
        f"{name}/{slot}": whole(value)
        for name, parameter in trainable(model)
        for slot, value in optimizer.state.get(parameter, {}).items()
    }


def load_optimizer(model: torch.nn.Module, optimizer: torch.optim.Optimizer, folder: Path) -> None:
    """Puts the state written by `optimizer_tensors` back, on each parameter's device and shards."""
    stored = load_file(folder / OPTIMIZER)
    slots: dict[str, dict[str, torch.Tensor]] = {}
    for key, value in stored.items():
        name, _, slot = key.rpartition("/")
        slots.setdefault(name, {})[slot] = value
    for name, parameter in trainable(model):
        if name in slots:
            optimizer.state[parameter] = {slot: _like(value, parameter) for slot, value in slots[name].items()}


def _like(value: torch.Tensor, parameter: torch.nn.Parameter) -> torch.Tensor:
    if value.shape != parameter.shape:  # Adam's step counter
        return value.to(parameter.device) if parameter.device.type == "cuda" else value.clone()
    if isinstance(parameter.data, DTensor):
        return distribute_tensor(
            value.to(parameter.device), parameter.data.device_mesh, list(parameter.data.placements)
        )
    return value.to(parameter.device).clone()


def rng_tensors(device: torch.device) -> dict[str, torch.Tensor]:
    """The states of Python's, NumPy's and torch's generators; torch's of every process, by rank."""
    version, words, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state()
    if version != 3 or kind != "MT19937":
        raise ValueError(f"unknown random number generators: {version}, {kind}")
    tensors = {
        "python": torch.tensor(words, dtype=torch.int64),
        "python_gauss": torch.tensor([] if gauss is None else [gauss], dtype=torch.float64),
        "numpy": torch.from_numpy(np.asarray(keys, dtype=np.int64).copy()),
        "numpy_position": torch.tensor([int(position), int(has_gauss)], dtype=torch.int64),
        "numpy_gauss": torch.tensor([float(cached)], dtype=torch.float64),
    }
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    for name, state in states.items():
        for rank, gathered in enumerate(_gather(state, device)):
            tensors[f"{name}_{rank}"] = gathered
    return tensors


def load_rng(folder: Path, device: torch.device, rank: int) -> None:
    """Sets all generators as `rng_tensors` found them. A rank that was not there then keeps its own."""
    stored = load_file(folder / RNG)
    gauss = stored["python_gauss"].tolist()
    random.setstate((3, tuple(stored["python"].tolist()), gauss[0] if gauss else None))
    position, has_gauss = stored["numpy_position"].tolist()
    keys = stored["numpy"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", keys, position, has_gauss, stored["numpy_gauss"].item()))
    if f"cpu_{rank}" in stored:
        torch.set_rng_state(stored[f"cpu_{rank}"])
    if device.type == "cuda" and f"cuda_{rank}" in stored:
        torch.cuda.set_rng_state(stored[f"cuda_{rank}"], device)


def write_tensors(tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Writes safetensors; tensors must not share memory."""
    save_file(tensors, path, metadata={"format": "pt"})


def _gather(state: torch.Tensor, device: torch.device) -> list[torch.Tensor]:
    if not (distributed.is_available() and distributed.is_initialized()):
        return [state]
    mine = state.to(device)
    all_states = [torch.empty_like(mine) for _ in range(distributed.get_world_size())]
    distributed.all_gather(all_states, mine)
    return [gathered.cpu() for gathered in all_states]


def scheduler_state(scheduler: Any) -> dict[str, Any]:
    """The plain values of a learning rate scheduler; what it computes from (functions) is made anew."""
    kinds = (int, float, str, bool, list, type(None))
    state = scheduler.state_dict()
    return {key: value for key, value in state.items() if isinstance(value, kinds) and key != "lr_lambdas"}
