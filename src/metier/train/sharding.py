"""A model sharded over the processes by torch's FSDP2 (`fully_shard`), decoder layer by decoder layer.

Done here rather than through accelerate, which shards on GPUs only: the same code runs on two CPU processes in the
tests. Only the first process holds weights beforehand; the others are sent their shards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import distributed
from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard

from metier.train.model import Machine


def shard(model: Any, machine: Machine) -> Any:
    """Shards `model` in place and returns it. Collective."""
    device = torch.device(machine.device)
    first = distributed.get_rank() == 0
    weights = dict(model.state_dict()) if first else {}
    stored = set(model.state_dict())
    buffers = {name: buffer for name, buffer in model.named_buffers() if name not in stored}
    computed = getattr(torch, machine.dtype)
    policy = MixedPrecisionPolicy(param_dtype=computed, reduce_dtype=torch.float32)
    mesh = init_device_mesh(device.type, (distributed.get_world_size(),))
    model.to("meta")
    if hasattr(model, "tie_weights"):
        model.tie_weights()
    for layer in decoder_layers(model):
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    fully_shard(model, mesh=mesh, mp_policy=policy)
    model.to_empty(device=device)
    set_model_state_dict(model, weights, options=StateDictOptions(full_state_dict=True, broadcast_from_rank0=True))
    for name, buffer in buffers.items():
        value = buffer.to(device) if first else torch.empty_like(buffer, device=device)
        distributed.broadcast(value, src=0)
        owner, _, attribute = name.rpartition(".")
        model.get_submodule(owner).register_buffer(attribute, value, persistent=False)
    # transformers' Trainer must neither move nor wrap what looks after its own placement and gradients. On the class,
    # which `fully_shard` has made for sharded models alone, because transformers has a property of that name.
    kind: Any = type(model)
    kind.is_distributed_loading_by_transformers = True
    return model


def decoder_layers(model: Any) -> list[torch.nn.Module]:
    """The modules that are not to be split, as the architecture names them."""
    names = set(getattr(model, "_no_split_modules", None) or ())
    return [module for module in model.modules() if type(module).__name__ in names]


@contextmanager
def keeping_gradients(model: Any) -> Iterator[None]:
    """Within it, gradients of a sharded model are summed up without being exchanged."""
    model.set_requires_gradient_sync(False)
    try:
        yield
    finally:
        model.set_requires_gradient_sync(True)


def is_sharded(model: Any) -> bool:
    """Whether `shard` has sharded it."""
    return isinstance(model, FSDPModule)
