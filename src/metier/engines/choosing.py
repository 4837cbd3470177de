"""Logits → the next token of each row.

Shapes: B rows, V vocabulary, H history, K kept candidates.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from metier.engines.sampling import Sampling

_MASK_64 = (1 << 64) - 1


def uniform(seed: int, step: int) -> float:
    """A number in [0, 1) that depends on seed and step alone (SplitMix64, Steele et al. 2014)."""
    state = (seed * 0x9E3779B97F4A7C15 + (step + 1) * 0xD1342543DE82EF95) & _MASK_64
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK_64
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK_64
    return ((state ^ (state >> 31)) >> 11) * 2.0**-53


def penalise_repetition(logits_BV: torch.Tensor, history_BH: torch.Tensor, penalty: float) -> torch.Tensor:
    """Divides positive and multiplies negative logits of tokens already seen (Keskar et al. 2019).

    history_BH: token ids seen in prompt and answer; unused places repeat any id of the same row.
    """
    # A picture's token may have no logit, as it is never written (Llama 3.2 Vision): the row's first one stands for it.
    history_BH = torch.where(history_BH < logits_BV.shape[-1], history_BH, history_BH[:, :1])
    seen_BH = logits_BV.gather(1, history_BH)
    seen_BH = torch.where(seen_BH < 0, seen_BH * penalty, seen_BH / penalty)
    return logits_BV.scatter(1, history_BH, seen_BH)


def choose(
    logits_BV: torch.Tensor,
    sampling: Sampling,
    draws: Sequence[float],
    history_BH: torch.Tensor | None = None,
) -> torch.Tensor:
    """The next token id of each row, shape [B].

    draws: one number in [0, 1) a row (unused when greedy); history_BH: needed where a repetition penalty is set.
    Penalty, temperature, top_k and top_p follow one another as in transformers.
    """
    logits_BV = logits_BV.float()
    if sampling.repetition_penalty != 1.0 and history_BH is not None:
        logits_BV = penalise_repetition(logits_BV, history_BH, sampling.repetition_penalty)
    if sampling.greedy:
        return logits_BV.argmax(dim=-1)
    logits_BV = logits_BV / sampling.temperature
    draws_B1 = torch.tensor(draws, dtype=torch.float64, device=logits_BV.device).unsqueeze(1)
    vocabulary = logits_BV.shape[-1]
    if 0 < sampling.top_k < vocabulary:
        kept_BK, ids_BK = logits_BV.topk(sampling.top_k, dim=-1)
        probabilities_BK = _nucleus(kept_BK.softmax(dim=-1), sampling.top_p)
        # In the order of ids, not of probabilities: two nearly equal candidates that change places through rounding
        # then move a boundary by a hair instead of exchanging their answers.
        ids_BK, order_BK = ids_BK.sort(dim=-1)
        chosen_B1 = _draw(probabilities_BK.gather(1, order_BK), draws_B1)
        return ids_BK.gather(1, chosen_B1).squeeze(1)
    probabilities_BV = logits_BV.softmax(dim=-1)
    if sampling.top_p < 1.0:
        sorted_BV, order_BV = probabilities_BV.sort(dim=-1, descending=True)
        probabilities_BV = torch.zeros_like(sorted_BV).scatter(1, order_BV, _nucleus(sorted_BV, sampling.top_p))
    return _draw(probabilities_BV, draws_B1).squeeze(1)


def _nucleus(descending_BK: torch.Tensor, top_p: float) -> torch.Tensor:
    """Keeps the fewest leading candidates whose mass reaches top_p; the others become 0."""
    if top_p >= 1.0:
        return descending_BK
    before_BK = descending_BK.cumsum(dim=-1) - descending_BK
    return descending_BK.masked_fill(before_BK >= top_p, 0.0)


def _draw(probabilities_BK: torch.Tensor, draws_B1: torch.Tensor) -> torch.Tensor:
    """Inverse of the cumulative distribution at the draws: column numbers, shape [B, 1]."""
    cumulative_BK = probabilities_BK.double().cumsum(dim=-1)
    target_B1 = draws_B1 * cumulative_BK[:, -1:]
    chosen_B1 = torch.searchsorted(cumulative_BK, target_B1, right=True)
    return chosen_B1.clamp_(max=probabilities_BK.shape[1] - 1)
