"""Whether a model fits this machine, by arithmetic alone: for a list, before anything is fetched.

The plan of a recipe (`metier.recipes.plan`) counts exactly what is asked for; here one common case stands for all:
LoRA of rank 16 with rows of 1,024 tokens and gradient checkpointing, and one chat of 4,096 tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from metier.models.hardware import hardware
from metier.models.skeleton import Skeleton
from metier.recipes.plan_memory import ServingShape, TrainingShape, serving_memory, training_memory

LORA_RANK, TRAIN_TOKENS, CHAT_TOKENS = 16, 1024, 4096
_SPARE = 0.85  # of the memory may be taken before it counts as tight: other programs want some too
Verdict = Literal["fits", "tight", "too_large"]


@dataclass(frozen=True)
class Fit:
    """Bytes that training with LoRA and chatting take, of `memory` bytes that the machine's largest device has."""

    train_bytes: int
    chat_bytes: int
    memory: int

    @property
    def train(self) -> Verdict:
        """Whether LoRA fits."""
        return _verdict(self.train_bytes, self.memory)

    @property
    def chat(self) -> Verdict:
        """Whether chatting fits."""
        return _verdict(self.chat_bytes, self.memory)


def fit(model: Skeleton) -> Fit:
    """The memory a model takes here."""
    machine = hardware()
    gpu = bool(machine.gpus)
    memory = max(item.memory for item in machine.gpus) if gpu else machine.memory
    element = 2 if gpu or machine.cpu_bfloat16 else 4
    context = model.context or CHAT_TOKENS
    training = TrainingShape(1, min(TRAIN_TOKENS, context), False, False, True, element, gpu)
    serving = ServingShape(1, min(CHAT_TOKENS, context), 1, element, False, gpu)
    return Fit(sum(training_memory(model, training).values()), sum(serving_memory(model, serving).values()), memory)


def _verdict(size: int, memory: int) -> Verdict:
    return "fits" if size <= _SPARE * memory else "tight" if size <= memory else "too_large"
