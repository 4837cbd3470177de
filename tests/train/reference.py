"""The plain reference: one row at a time, logits everywhere, transformers and PEFT as they are, AdamW by hand.

What the engine room computes cleverly must agree with this.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional

from metier.train.plan import RowOrder
from metier.train.spec import TrainSpec

IGNORED = -100


@dataclass
class Record:
    """losses: mean over the labels of each step; gradients: those of the last step, before clipping."""

    losses: list[float] = field(default_factory=list)
    gradients: dict[str, torch.Tensor] = field(default_factory=dict)


def row_loss(model: Any, row: Any) -> tuple[torch.Tensor, int]:
    """Sum of the cross-entropies of one row's labels, and how many there are."""
    logits = model(input_ids=torch.tensor([row.input_ids]), use_cache=False).logits[0, :-1]
    labels = torch.tensor(row.labels[1:])
    loss = functional.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum")
    return loss, int((labels != IGNORED).sum())


def gradients(model: Any, rows: Sequence[Any]) -> tuple[float, dict[str, torch.Tensor]]:
    """Mean loss over all labels of `rows`, and its gradient for each trained parameter."""
    model.zero_grad()
    count = sum(row_loss(model, row)[1] for row in rows)
    total = 0.0
    for row in rows:
        loss = row_loss(model, row)[0] / count
        loss.backward()
        total += loss.item()
    return total, {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad and p.grad is not None}


def learning_rate(spec: TrainSpec, step: int, total: int) -> float:
    """Cosine after linear warm-up, as `get_cosine_schedule_with_warmup`; `step` counts updates already made."""
    warmup = spec.warmup(total)
    if step < warmup:
        return spec.learning_rate * step / max(1, warmup)
    share = (step - warmup) / max(1, total - warmup)
    return spec.learning_rate * max(0.0, 0.5 * (1.0 + math.cos(math.pi * share)))


def train(model: Any, rows: Sequence[Any], spec: TrainSpec) -> Record:
    """The whole training: shuffling, clipping, AdamW (Loshchilov & Hutter 2019), schedule."""
    model.train()
    record = Record()
    order = RowOrder(len(rows), spec.rows_per_step, spec.seed, shuffle=not spec.disable_shuffling)
    total = spec.total_steps(len(rows))
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    first = {name: torch.zeros_like(p) for name, p in parameters.items()}
    second = {name: torch.zeros_like(p) for name, p in parameters.items()}
    for step in range(total):
        epoch, within = divmod(step, order.steps_per_epoch)
        loss, grads = gradients(model, [rows[index] for index in order.epoch(epoch)[within]])
        record.losses.append(loss)
        record.gradients = {name: grad.clone() for name, grad in grads.items()}
        norm = math.sqrt(sum(float(grad.square().sum()) for grad in grads.values()))
        clip = min(1.0, spec.max_grad_norm / (norm + 1e-6)) if spec.max_grad_norm else 1.0
        rate = learning_rate(spec, step, total)
        with torch.no_grad():
            for name, parameter in parameters.items():
                grad = grads[name] * clip
                first[name].lerp_(grad, 1 - spec.adam_beta1)
                second[name].mul_(spec.adam_beta2).addcmul_(grad, grad, value=1 - spec.adam_beta2)
                mean = first[name] / (1 - spec.adam_beta1 ** (step + 1))
                spread = (second[name] / (1 - spec.adam_beta2 ** (step + 1))).sqrt() + spec.adam_epsilon
                parameter.mul_(1 - rate * spec.weight_decay).sub_(rate * mean / spread)
    return record
