"""Memory of one device, estimated from a model's measures: for training, and for generating.

Everything here is bytes unless named otherwise. Weights, gradients and optimiser are exact; activations are an estimate
from above: every token of a micro-batch is taken to carry a label, every row to be as long as `cutoff_len`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from metier.models.skeleton import Skeleton

GIGABYTE = 1_000_000_000
TRAINED = 4  # bytes of a trained number and of its gradient: float32, so that small steps are not rounded away
ADAM = 8  # two float32 averages a trained number
# Per logit: itself in the computing format (2), its float32 copy (4), its log-softmax (4), the gradient (4).
LOGIT = 14
_CUDA_CONTEXT = 1_500_000_000  # CUDA context, kernels and NCCL buffers of one process
_PROCESS = 1_000_000_000  # torch and its libraries in a process without a GPU
_FRAGMENTATION = 0.05  # of what the allocator holds
VLLM_UTILIZATION = 0.9  # of a GPU's memory: vLLM's `gpu_memory_utilization` where vllm_config does not give it
_VLLM_OVERHEAD = 3_000_000_000  # activations of the profiling run, CUDA graphs, context


@dataclass(frozen=True, slots=True)
class TrainingShape:
    """How a training is laid out. tokens: of one micro-batch; element: bytes of a frozen weight and an activation."""

    devices: int
    tokens: int
    full: bool
    sharded: bool
    checkpointing: bool
    element: int
    gpu: bool


def training_memory(model: Skeleton, shape: TrainingShape) -> dict[str, int]:
    """Bytes on each device, by what they are for, at the peak of a step.

    weights: this device's part of frozen and trained ones; gathered: two blocks and the root at full size, which
    sharded training holds while it computes; gradients, optimiser: of trained numbers; activations: what the backward
    pass needs (with checkpointing each layer's input, and one layer anew); logits: those at labels; reserve: context
    and fragments.
    """
    parts = shape.devices if shape.sharded else 1
    frozen = 0 if shape.full else model.parameters * shape.element
    one_layer = model.layer_elements * shape.element
    inputs = model.layers * model.hidden * shape.element
    memory = {
        "weights": (frozen + model.trainable * TRAINED) // parts,
        "gathered": (2 * model.block + model.root) * shape.element if shape.sharded else 0,
        "gradients": model.trainable * TRAINED // parts,
        "optimizer": model.trainable * ADAM // parts,
        "activations": shape.tokens * (inputs + one_layer if shape.checkpointing else model.layers * one_layer),
        "logits": shape.tokens * model.vocabulary * LOGIT,
    }
    if shape.full and not shape.sharded and shape.element < TRAINED:
        memory["gathered"] = model.parameters * shape.element  # the copy that is computed with
    memory["reserve"] = (_CUDA_CONTEXT if shape.gpu else _PROCESS) + int(_FRAGMENTATION * sum(memory.values()))
    return memory


@dataclass(frozen=True, slots=True)
class ServingShape:
    """How answers are generated. length: tokens of prompt and answer together; rows: answered at the same time."""

    parts: int
    length: int
    rows: int
    element: int
    vllm: bool
    gpu: bool


def cache_bytes(model: Skeleton, length: int, element: int) -> int:
    """Keys and values of one row of `length` tokens, all layers; a layer with a window keeps no more than that."""
    return sum(layer.elements * min(length, layer.window or length) for layer in model.caches) * element


def serving_memory(model: Skeleton, shape: ServingShape) -> dict[str, int]:
    """Bytes on each device: its part of the weights, keys and values of all rows, logits, reserve.

    A key-value head is not divided: with more parts than heads, each part holds a whole one.
    """
    adapter = model.trainable if model.adapted else 0
    weights = (model.parameters + adapter) * shape.element // shape.parts
    share = min(shape.parts, model.key_value_heads)
    memory = {
        "weights": weights,
        "cache": shape.rows * cache_bytes(model, shape.length, shape.element) // share,
        "next_token": shape.rows * model.vocabulary * LOGIT,
    }
    context = _VLLM_OVERHEAD if shape.vllm else _CUDA_CONTEXT if shape.gpu else _PROCESS
    memory["reserve"] = context + int(_FRAGMENTATION * sum(memory.values()))
    return memory


def rows_that_fit(model: Skeleton, shape: ServingShape, memory: int) -> int:
    """Rows of full length whose keys and values fit beside the weights."""
    fixed = sum(serving_memory(model, replace(shape, rows=0)).values())
    each = sum(serving_memory(model, replace(shape, rows=1)).values()) - fixed
    return max(0, (memory - fixed) // max(1, each))


def size_text(size: int) -> str:
    """Bytes as decimal gigabytes, or megabytes for small ones."""
    return f"{size / GIGABYTE:,.1f} GB" if size >= GIGABYTE // 10 else f"{size / 1e6:,.1f} MB"
