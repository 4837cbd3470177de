"""How long training and answering take, as a range: from arithmetic and what this machine does, or from earlier runs.

A range that says "about twenty minutes to an hour" before money is spent is honest; a single number would not be.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metier.recipes.plan import TrainPlan

# Peak of dense bfloat16 (or float16) arithmetic and memory bandwidth, from the makers' data sheets: TFLOP/s, GB/s.
_GPUS = {
    "H200": (989, 4800), "H100": (989, 3350), "H800": (989, 3350), "H20": (148, 4000), "A100": (312, 2000),
    "A800": (312, 2000), "L40": (181, 864), "L20": (119, 864), "L4": (121, 300), "A10": (125, 600),
    "4090": (165, 1008), "3090": (71, 936), "V100": (125, 900), "T4": (65, 320), "B200": (2250, 8000),
}  # fmt: skip
_UNKNOWN_GPU = (60, 500)
_GPU_SHARE = (0.12, 0.45)  # of the peak that training reaches: small batches, and well-filled ones
_CPU_SHARE = (0.18, 0.5)  # of what a large matrix product reaches here
_SPREAD = (0.75, 1.4)  # around a speed that was measured on this machine
_STEP_SECONDS = {True: (0.02, 0.06), False: (0.012, 0.05)}  # of one generated token beside its arithmetic: gpu, cpu
_CPU_BYTES = (6e9, 25e9)  # of weights that a processor reads a second


@dataclass(frozen=True)
class Speed:
    """flops: from and to, a second; bytes: of weights read a second, from and to; per_token: arithmetic of training on
    one token; forward: of answering; weights: bytes; tokens: a second, where a run has measured it."""

    gpu: bool
    flops: tuple[float, float]
    bytes: tuple[float, float]
    per_token: float
    forward: float
    weights: float
    tokens: float | None = None


def speed_of(machine: dict[str, Any], plan: TrainPlan, measured: float | None) -> Speed:
    """The speed of a training on this machine. measured: tokens a second of an earlier run of the same kind."""
    forward = 2.0 * plan.parameters
    # Backwards through frozen weights costs as much as forwards; their own gradients as much again; and once more
    # forwards where activations are computed anew.
    passes = 2.0 + (1.0 if plan.method == "full" else 0.1) + (1.0 if plan.checkpointing else 0.0)
    if machine["gpu"]:
        peak, width = next((known for name, known in _GPUS.items() if name in machine["name"]), _UNKNOWN_GPU)
        flops = (peak * 1e12 * _GPU_SHARE[0], peak * 1e12 * _GPU_SHARE[1])
        read = (0.4 * width * 1e9, 0.8 * width * 1e9)
    else:
        here = _processor_flops(plan.element)
        flops, read = (here * _CPU_SHARE[0], here * _CPU_SHARE[1]), _CPU_BYTES
    return Speed(machine["gpu"], flops, read, passes * forward, forward, plan.parameters * plan.element, measured)


def training_seconds(speed: Speed, tokens: float, devices: int) -> tuple[float, float]:
    """Seconds from and to for training on so many tokens."""
    if speed.tokens:
        return tokens / speed.tokens * _SPREAD[0], tokens / speed.tokens * _SPREAD[1]
    low, high = speed.flops
    return tokens * speed.per_token / high / devices, tokens * speed.per_token / low / max(1.0, 0.6 * devices)


def answering_seconds(
    speed: Speed, rows: int, prompt: float, answer: float, most: int, batch: int
) -> tuple[float, float]:
    """Seconds from and to for answering rows: answers as long as the data's, or as long as they may be."""
    return (
        _answering(speed, rows, prompt, min(answer, most), batch, fast=True),
        _answering(speed, rows, prompt, most, batch, fast=False),
    )


def _answering(speed: Speed, rows: int, prompt: float, length: float, batch: int, *, fast: bool) -> float:
    at = 1 if fast else 0
    flops, read, overhead = speed.flops[at], speed.bytes[at], _STEP_SECONDS[speed.gpu][1 - at]
    step = max(batch * speed.forward / flops, speed.weights / read) + overhead
    return rows * prompt * speed.forward / flops + rows / batch * length * step


@cache
def _processor_flops(element: int) -> float:
    """Arithmetic a second of this processor, by a matrix product in the training's number format."""
    import torch

    size = 1024
    kind = torch.bfloat16 if element == 2 else torch.float32
    left, right = torch.ones(size, size, dtype=kind), torch.ones(size, size, dtype=kind)
    best = float("inf")
    for _ in range(4):
        begun = time.process_time()  # of all threads: what others compute beside it does not count
        left @ right
        best = min(best, time.process_time() - begun)
    return 2.0 * size**3 / best * torch.get_num_threads()
