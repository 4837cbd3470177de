"""The loss of a micro-batch: hidden states become logits only where a label is predicted."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from metier.train.batches import MicroBatch


def loss_sum(model: Any, batch: MicroBatch) -> torch.Tensor:
    """Sum of the cross-entropies (nats) of the labels of `batch`; 0, with a gradient of 0, where it has none.

    The prompt of a chat is most of its tokens and the vocabulary is the widest layer, so logits at labels only save
    most of the head's time and memory. `logits_to_keep` is what every causal model of transformers takes for that.
    """
    arguments: dict[str, Any] = {"input_ids": batch.input_ids, "position_ids": batch.position_ids}
    positions = batch.label_positions
    if batch.segment_bounds is not None:
        arguments["segment_bounds"] = batch.segment_bounds
        keep = positions if len(positions) else positions.new_zeros(1)
        logits_PV = model(**arguments, logits_to_keep=keep, use_cache=False).logits[0]
    else:
        length = batch.input_ids.shape[1]
        columns = torch.unique(positions % length) if len(positions) else positions.new_zeros(1)
        logits = model(**arguments, logits_to_keep=columns, use_cache=False).logits
        where = positions // length, torch.searchsorted(columns, positions % length)
        logits_PV = logits[where] if len(positions) else logits.flatten(0, 1)
    if not len(positions):
        return logits_PV.float().sum() * 0.0
    return functional.cross_entropy(logits_PV.float(), batch.targets, reduction="sum")
