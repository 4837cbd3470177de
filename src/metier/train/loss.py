"""The loss of a micro-batch: hidden states become logits only where a label is predicted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from metier.train.batches import MicroBatch

Head = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def logits_loss(logits_PV: torch.Tensor, targets_P: torch.Tensor) -> torch.Tensor:
    """Sum of the cross-entropies (nats) of `targets_P`, in float32 whatever the logits are in."""
    return functional.cross_entropy(logits_PV.float(), targets_P, reduction="sum")


def loss_sum(model: Any, batch: MicroBatch, head: Head = logits_loss) -> torch.Tensor:
    """Sum of the losses of the labels of `batch`; 0, with a gradient of 0, where it has none.

    The prompt of a chat is most of its tokens and the vocabulary is the widest layer, so logits at labels only save
    most of the head's time and memory. `logits_to_keep` is what every causal model of transformers takes for that.
    head: what turns the model's outputs at labels, and the labels, into the loss.
    """
    arguments: dict[str, Any] = {"input_ids": batch.input_ids, "position_ids": batch.position_ids, "use_cache": False}
    arguments |= batch.seen
    positions = batch.label_positions
    if batch.segment_bounds is not None:
        keep = positions if len(positions) else positions.new_zeros(1)
        if batch.shared:
            arguments["shared_prefix"] = batch.shared
        outputs = model(**arguments, segment_bounds=batch.segment_bounds, logits_to_keep=keep).logits[0]
    else:
        length = batch.input_ids.shape[1]
        columns = torch.unique(positions % length) if len(positions) else positions.new_zeros(1)
        outputs = model(**arguments, logits_to_keep=columns).logits
        outputs = outputs[positions // length, torch.searchsorted(columns, positions % length)]
    if not len(positions):
        nothing: torch.Tensor = outputs.float().sum() * 0.0
        return nothing
    return head(outputs, batch.targets)
