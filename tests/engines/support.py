"""Models and prompts for the engine tests."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from metier.engines import Sampling
from metier.engines.hf import HFEngine
from metier.rendering import Prompt, make_renderer

# Enough stop ids that a random model's answers have mixed lengths.
STOPS = (2, 40, 80, 120, 160, 200, 240)


class Stopping:
    """A renderer whose answers end at one of `STOPS`."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer
        self.stop_ids = STOPS

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._renderer.decode([i for i in ids if i not in STOPS]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._renderer, name)


def load(folder: Path, dtype: str = "float32") -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()


def engine(folder: Path, dtype: str = "float32", model: Any = None, **options: Any) -> HFEngine:
    renderer = make_renderer(AutoTokenizer.from_pretrained(folder))
    return HFEngine(model or load(folder, dtype), Stopping(renderer), **options)  # type: ignore[arg-type]


def prompts(count: int, *, prefix: int = 0, longest: int = 60) -> list[Prompt]:
    draw = random.Random(3)
    return [
        Prompt("", [5] * prefix + [draw.randrange(3, 250) for _ in range(draw.randrange(1, longest))])
        for _ in range(count)
    ]


def answers(engine: HFEngine, asked: Sequence[Prompt], sampling: Sampling, **options: Any) -> list[list[int]]:
    found = {i: c.token_ids for batch in engine.generate(asked, sampling, **options) for i, c in batch}
    return [found[index] for index in range(len(asked))]


def one_by_one(model: Any, asked: Sequence[Prompt], sampling: Sampling) -> list[list[int]]:
    """The plain reference: `transformers` generate, a row at a time, greedy."""
    result = []
    for prompt in asked:
        ids = torch.tensor([prompt.input_ids])
        output = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=sampling.max_new_tokens,
            repetition_penalty=sampling.repetition_penalty,
            eos_token_id=list(STOPS),
            pad_token_id=0,
        )
        result.append(output[0, ids.shape[1] :].tolist())
    return result
