"""Tokens per second of our trainer alone, engine by engine, on rows of one length.

    python bench/train_speed.py path/to/SmolLM2-135M-Instruct [--length 110] [--rows 9] [--rank 8]

Engines: `full` (PEFT as it is, logits everywhere, rows padded: what most trainers do), `plain` (packed rows, attention
per row, logits at labels), `fused` (our layers). Prints wall and processor time; on a busy machine the latter with
`--threads 1` is the one to compare.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch


@dataclass
class Row:
    """A rendered row; the last `answer` tokens carry loss."""

    input_ids: list[int]
    labels: list[int]
    row: int = 0
    extra: dict[str, Any] = field(default_factory=dict)


def rows(count: int, length: int, answer: float, shared: int, vocabulary: int) -> list[Row]:
    generator = random.Random(0)
    front = [generator.randrange(vocabulary) for _ in range(shared)]
    made = []
    for _ in range(count):
        ids = front + [generator.randrange(vocabulary) for _ in range(length - shared)]
        prompt = length - max(1, int(answer * length))
        made.append(Row(ids, [-100] * prompt + ids[prompt:]))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--length", type=int, default=110)
    parser.add_argument("--rows", type=int, default=9)
    parser.add_argument("--answer", type=float, default=0.5, help="share of a row's tokens that carry loss")
    parser.add_argument("--shared", type=int, default=24, help="tokens that all rows begin with (a system prompt)")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--engines", default="full,plain,fused")
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    for engine in given.engines.split(","):
        print(json.dumps(measure(engine, given)), flush=True)


def measure(engine: str, given: argparse.Namespace) -> dict[str, Any]:
    from metier.models import resolve_model
    from metier.train import TrainSpec, fused
    from metier.train.batches import packed_batch, padded_batch, shared_beginning
    from metier.train.loss import logits_loss, loss_sum
    from metier.train.model import build_model, choose_machine

    attention = "sdpa" if engine == "full" else "auto"
    spec = TrainSpec(dataset="rows", device="cpu", dtype="float32", lora_rank=given.rank, attn_implementation=attention)
    resolved = resolve_model(str(given.model))
    model = build_model(spec, resolved, choose_machine(spec, resolved)).train()
    head = fused.install(model) if engine == "fused" else logits_loss
    examples: Any = rows(given.rows, given.length, given.answer, given.shared, model.config.vocab_size)
    shared = shared_beginning(examples) if engine == "fused" else 0
    packed, padded = packed_batch(examples, shared), padded_batch(examples, 0)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4, fused=True)
    labels = torch.tensor([row.labels for row in examples])

    def step() -> float:
        if engine == "full":
            loss = model(input_ids=padded.input_ids, labels=labels, use_cache=False).loss
        else:
            loss = loss_sum(model, packed, head) / len(packed.targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return float(loss.detach())

    step()
    best_wall, best_cpu = float("inf"), float("inf")
    for _ in range(given.repeats):
        wall, processor = time.perf_counter(), time.process_time()
        loss = step()
        best_wall = min(best_wall, time.perf_counter() - wall)
        best_cpu = min(best_cpu, time.process_time() - processor)
    if given.profile:
        with torch.profiler.profile() as profile:
            step()
        print(profile.key_averages().table(sort_by="self_cpu_time_total", row_limit=25, max_name_column_width=60))
    tokens = packed.tokens
    return {
        "engine": engine,
        "tokens": tokens,
        "length": given.length,
        "threads": given.threads,
        "loss": round(loss, 5),
        "tokens_per_second": round(tokens / best_wall, 1),
        "tokens_per_processor_second": round(tokens / best_cpu, 1),
    }


if __name__ == "__main__":
    main()
