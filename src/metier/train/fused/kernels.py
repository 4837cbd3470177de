"""Norm, rotation, SwiGLU and attention, forward and backward, on plain tensors.

T tokens, C channels, H query heads, K key/value heads, D head size.
"""

from __future__ import annotations

from itertools import pairwise

import torch

_attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_attention_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


def rms_scale(x: torch.Tensor, epsilon: float) -> torch.Tensor:
    """1 / sqrt(mean(x²) + ε) over the last dimension, which is kept (Zhang & Sennrich 2019)."""
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
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


def attend(
    query_THD: torch.Tensor, key_TKD: torch.Tensor, value_TKD: torch.Tensor, bounds: tuple[int, ...], scale: float
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Causal attention of each segment to itself: output (T, H, D) and what the backward pass needs."""
    out_THD = torch.empty_like(query_THD, memory_format=torch.contiguous_format)
    saved = []
    for start, end in pairwise(bounds):
        query, key, value = (_heads(tensor, start, end) for tensor in (query_THD, key_TKD, value_TKD))
        out, log_sums = _attention(query, key, value, 0.0, True, scale=scale)
        out_THD[start:end] = out[0].transpose(0, 1)
        saved.append(log_sums)
    return out_THD, saved


def attend_backward(
    grad_THD: torch.Tensor,
    query_THD: torch.Tensor,
    key_TKD: torch.Tensor,
    value_TKD: torch.Tensor,
    out_THD: torch.Tensor,
    saved: list[torch.Tensor],
    bounds: tuple[int, ...],
    scale: float,
    value_grad_TKD: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradients of query and key, returned, and of value, written into `value_grad_TKD`."""
    query_grad, key_grad = torch.empty_like(query_THD), torch.empty_like(key_TKD)
    for (start, end), log_sums in zip(pairwise(bounds), saved, strict=True):
        tensors = [_heads(tensor, start, end) for tensor in (grad_THD, query_THD, key_TKD, value_TKD, out_THD)]
        parts = _attention_backward(*tensors, log_sums, 0.0, True, scale=scale)
        for target, part in zip((query_grad, key_grad, value_grad_TKD), parts, strict=True):
            target[start:end] = part[0].transpose(0, 1)
    return query_grad, key_grad


def _heads(tensor: torch.Tensor, start: int, end: int) -> torch.Tensor:
    """Tokens start…end as (1, heads, tokens, D), the kernel's order, without a copy."""
    return tensor[start:end].transpose(0, 1).unsqueeze(0)
