"""Norm, rotation, SwiGLU and attention, forward and backward, on plain tensors.

T tokens, H query heads, K key/value heads, D head size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch

_attention: Any = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_attention_backward: Any = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


def rms_scale(x: torch.Tensor, epsilon: float) -> torch.Tensor:
    """1 / sqrt(mean(x²) + ε) over the last dimension, which is kept (Zhang & Sennrich 2019)."""
    norm: torch.Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return norm.square_().div_(x.shape[-1]).add_(epsilon).rsqrt_()


def rms_norm_(target: torch.Tensor, x: torch.Tensor, scale: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Writes x · scale · weight into `target`."""
    return torch.mul(x, scale, out=target).mul_(weight)


def rms_norm_backward(
    grad: torch.Tensor, x: torch.Tensor, scale: torch.Tensor, weight: torch.Tensor, residual: torch.Tensor | None
) -> torch.Tensor:
    """Gradient of the norm's input; `grad` is overwritten; `residual`, the gradient that goes past it, is added."""
    grad.mul_(weight)
    product = (grad * x).sum(dim=-1, keepdim=True)
    factor = product.mul_(scale.pow(3)).div_(-x.shape[-1])
    grad.mul_(scale)
    if residual is not None:
        grad = grad + residual
    return grad.addcmul_(x, factor)


def rotate(x_THD: torch.Tensor, cos_T1D: torch.Tensor, sin_T1D: torch.Tensor) -> torch.Tensor:
    """Rotary position embedding (Su et al. 2021) with halves as partners, as transformers lays them out.

    cos, sin: (T, 1, D/2). The inverse, which is also the backward pass, is `rotate(x, cos, -sin)`.
    """
    half = x_THD.shape[-1] // 2
    first, second = x_THD[..., :half], x_THD[..., half:]
    out = torch.empty_like(x_THD, memory_format=torch.contiguous_format)
    torch.mul(first, cos_T1D, out=out[..., :half]).addcmul_(second, sin_T1D, value=-1)
    torch.mul(second, cos_T1D, out=out[..., half:]).addcmul_(first, sin_T1D)
    return out


@dataclass(frozen=True, slots=True)
class Segments:
    """Packed rows. bounds: where each begins, and the end; shared: tokens that the first row has in front and that
    every other row is to see too, as if they stood in front of it."""

    bounds: tuple[int, ...]
    shared: int = 0

    def rows(self) -> Iterator[tuple[int, int, int]]:
        """(start, end, shared tokens to put in front) of each row."""
        for index, (start, end) in enumerate(pairwise(self.bounds)):
            yield start, end, self.shared if index else 0


def attend(
    query_THD: torch.Tensor, key_TKD: torch.Tensor, value_TKD: torch.Tensor, segments: Segments, scale: float
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Causal attention of each row to itself: output (T, H, D) and what the backward pass needs."""
    out_THD = torch.empty_like(query_THD, memory_format=torch.contiguous_format)
    saved = []
    for start, end, front in segments.rows():
        row = [_heads(tensor, start, end, front) for tensor in (query_THD, key_TKD, value_TKD)]
        out, log_sums = _attention(*row, 0.0, True, scale=scale)
        out_THD[start:end] = out[0].transpose(0, 1)[front:]
        saved.append(log_sums)
    return out_THD, saved


def attend_backward(
    grad_THD: torch.Tensor,
    query_THD: torch.Tensor,
    key_TKD: torch.Tensor,
    value_TKD: torch.Tensor,
    out_THD: torch.Tensor,
    saved: list[torch.Tensor],
    segments: Segments,
    scale: float,
    value_grad_TKD: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradients of query and key, returned, and of value, written into `value_grad_TKD`."""
    query_grad, key_grad = torch.empty_like(query_THD), torch.empty_like(key_TKD)
    for (start, end, front), log_sums in zip(segments.rows(), saved, strict=True):
        row = [_heads(tensor, start, end, front) for tensor in (query_THD, key_TKD, value_TKD, out_THD)]
        grad = _heads(grad_THD, start, end, front)
        # The shared tokens' own output is the first row's: elsewhere nothing flows back through it.
        grad[:, :, :front] = 0.0
        parts = _attention_backward(grad, *row, log_sums, 0.0, True, scale=scale)
        for target, part in zip((query_grad, key_grad, value_grad_TKD), parts, strict=True):
            whole = part[0].transpose(0, 1)
            target[start:end] = whole[front:]
            if front:
                target[:front] += whole[:front]
    return query_grad, key_grad


def _heads(tensor: torch.Tensor, start: int, end: int, front: int) -> torch.Tensor:
    """A row as (1, heads, tokens, D), the kernel's order: a view, or a copy where shared tokens are put in front."""
    row = torch.cat((tensor[:front], tensor[start:end])) if front else tensor[start:end]
    return row.transpose(0, 1).unsqueeze(0)
