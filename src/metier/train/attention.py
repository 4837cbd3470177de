"""Attention in which packed rows never see each other, registered under its own name with transformers.

Rows lie end to end in one sequence; each attends to itself alone, causally. No mask is made: on a CPU the kernel runs
once per row on views of the packed tensors, on CUDA in half precision torch's variable-length kernel runs once for all.
Shapes: B batch (1 where rows are packed), H heads, K key/value heads, L tokens, D head size.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch.nn import functional

NAME = "metier_packed"


def register() -> str:
    """Makes the function known to transformers and returns its name for `attn_implementation`."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, packed_attention)
    return NAME


def packed_attention(
    module: torch.nn.Module,
    query_BHLD: torch.Tensor,
    key_BKLD: torch.Tensor,
    value_BKLD: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    segment_bounds: Sequence[int] | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each segment; the signature is that of transformers' attention functions.

    segment_bounds: where each packed row begins, and the end of the last: (0, 5, 9) for rows of 5 and 4 tokens;
    None: one row per batch entry, padded on the right only (a causal row never sees what follows it).
    Returns the output as (B, L, H, D).
    """
    bounds = tuple(segment_bounds) if segment_bounds is not None else (0, query_BHLD.shape[2])
    grouped = key_BKLD.shape[1] != query_BHLD.shape[1]
    if softcap is None and dropout == 0.0 and _fits_varlen(query_BHLD, segment_bounds):
        return _varlen(query_BHLD, key_BKLD, value_BKLD, bounds, scaling, sliding_window, grouped), None
    outputs = []
    for start, end in pairwise(bounds):
        rows = query_BHLD[:, :, start:end], key_BKLD[:, :, start:end], value_BKLD[:, :, start:end]
        if softcap is not None:
            outputs.append(_softcapped(*rows, dropout, scaling, sliding_window, softcap))
            continue
        mask = _window_mask(end - start, sliding_window, query_BHLD.device)
        outputs.append(
            functional.scaled_dot_product_attention(
                *rows, attn_mask=mask, dropout_p=dropout, is_causal=mask is None, scale=scaling, enable_gqa=grouped
            )
        )
    output_BHLD = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=2)
    return output_BHLD.transpose(1, 2), None


def _window_mask(length: int, window: int | None, device: torch.device) -> torch.Tensor | None:
    """A boolean causal mask of a sliding window, or None where the plain causal kernel sees the same."""
    if window is None or length <= window:
        return None
    position = torch.arange(length, device=device)
    distance = position[:, None] - position[None, :]
    return (distance >= 0) & (distance < window)


def _softcapped(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    dropout: float,
    scaling: float | None,
    window: int | None,
    softcap: float,
) -> torch.Tensor:
    """Attention whose scores pass through `softcap · tanh(score / softcap)` (Gemma 2), which no fused kernel has."""
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    scores = softcap * torch.tanh(query @ key.transpose(2, 3) * scale / softcap)
    length = query.shape[2]
    mask = _window_mask(length, window, query.device)
    if mask is None:
        mask = torch.ones(length, length, dtype=torch.bool, device=query.device).tril()
    weights = scores.masked_fill(~mask, float("-inf")).softmax(dim=-1, dtype=torch.float32).to(query.dtype)
    return functional.dropout(weights, dropout) @ value


def _fits_varlen(query: torch.Tensor, bounds: Sequence[int] | None) -> bool:
    """Whether torch's variable-length kernel takes these rows: packed, on CUDA, half precision."""
    return bounds is not None and query.is_cuda and query.dtype in (torch.bfloat16, torch.float16)


def _varlen(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    bounds: tuple[int, ...],
    scaling: float | None,
    window: int | None,
    grouped: bool,
) -> torch.Tensor:
    from torch.nn.attention.varlen import varlen_attn

    starts = torch.tensor(bounds, dtype=torch.int32, device=query.device)
    longest = max(end - start for start, end in pairwise(bounds))
    query, key, value = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    left = window - 1 if window is not None else -1
    output: Any = varlen_attn(
        query,
        key,
        value,
        starts,
        starts,
        longest,
        longest,
        scale=scaling,
        window_size=(left, 0),
        enable_gqa=grouped,
    )
    whole: torch.Tensor = output.unsqueeze(0)
    return whole
