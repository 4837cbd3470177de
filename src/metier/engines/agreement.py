"""Do two greedy answers agree, and where they differ, was it a near tie?

Rounding depends on how rows are batched, so that in bf16 two equally good tokens may change places; after that the
answers are different texts. This tells such a difference from a wrong one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import torch

from metier.engines.network import Network


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two answers part.

    position: token number in the answer; first, second: the tokens there (None: that answer ended); gap: how far the
    worse of the two lies below the best logit, in logits.
    """

    position: int
    first: int | None
    second: int | None
    gap: float


def first_difference(
    network: Network, prompt_ids: Sequence[int], first: Sequence[int], second: Sequence[int]
) -> Difference | None:
    """Where two greedy answers to one prompt part, with the gap as the model gives it for the prompt alone.

    Returns None for equal answers. An answer that merely ends earlier (another limit) has no logit to compare: gap 0.
    """
    for position, (one, other) in enumerate(zip_longest(first, second)):
        if one == other:
            continue
        if one is None or other is None:
            return Difference(position, one, other, 0.0)
        ids_1L = torch.tensor([[*prompt_ids, *first[:position]]], device=network.device)
        places_1L = torch.arange(ids_1L.shape[1], device=network.device)[None]
        logits_V = network(ids_1L, torch.ones_like(ids_1L), places_1L, network.own_cache())[0].float()
        gap = logits_V.max() - torch.minimum(logits_V[one], logits_V[other])
        return Difference(position, one, other, float(gap))
    return None
