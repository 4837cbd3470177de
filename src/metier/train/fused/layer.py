"""A decoder layer (norm, attention, norm, SwiGLU) as one autograd function.

T tokens, C channels, F feed-forward channels, H and K heads of queries and of keys and values, D head size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from metier.train.fused import kernels
from metier.train.fused.linear import LinearGroup


class FusedLayer:
    """What the function needs of one layer of a Llama-like model. Called like the layer's own forward."""

    def __init__(self, layer: Any) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self.original = layer.forward
        self.qkv = LinearGroup([attention.q_proj, attention.k_proj, attention.v_proj])
        self.out = LinearGroup([attention.o_proj])
        self.gate_up = LinearGroup([mlp.gate_proj, mlp.up_proj])
        self.down = LinearGroup([mlp.down_proj])
        self.norms = (layer.input_layernorm, layer.post_attention_layernorm)
        self.head_norms = (getattr(attention, "q_norm", None), getattr(attention, "k_norm", None))
        self.head_size = attention.head_dim
        self.scale = attention.scaling
        self.groups = (self.qkv, self.out, self.gate_up, self.down)
        self.parameters = [parameter for group in self.groups for parameter in group.parameters]

    def __call__(self, hidden_states: torch.Tensor, **kwargs: Any) -> Any:
        bounds = kwargs.get("segment_bounds")
        if bounds is None or hidden_states.shape[0] != 1:
            return self.original(hidden_states, **kwargs)
        for group in self.groups:
            group.refresh()
        cos_1TD, sin_1TD = kwargs["position_embeddings"]
        half = self.head_size // 2
        cos, sin = (table[0, :, None, :half].contiguous() for table in (cos_1TD, sin_1TD))
        segments = kernels.Segments(tuple(bounds), kwargs.get("shared_prefix", 0))
        apply: Any = DecoderFunction.apply
        return apply(hidden_states[0], self, cos, sin, segments, *self.parameters).unsqueeze(0)


@dataclass
class _Kept:
    """What the backward pass needs of the forward pass."""

    input: torch.Tensor
    wide: torch.Tensor
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    raw: tuple[torch.Tensor, torch.Tensor] | None
    attended_wide: torch.Tensor
    log_sums: list[torch.Tensor]
    middle: torch.Tensor
    mlp_wide: torch.Tensor
    gate_up: torch.Tensor
    down_inner: torch.Tensor


class DecoderFunction(torch.autograd.Function):
    """hidden (T, C) → hidden (T, C); gradients of the input and of each LoRA matrix."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden_TC: torch.Tensor,
        layer: FusedLayer,
        cos: torch.Tensor,
        sin: torch.Tensor,
        segments: kernels.Segments,
        *parameters: torch.Tensor,
    ) -> torch.Tensor:
        tokens, channels = hidden_TC.shape
        first, second = layer.norms
        wide = layer.qkv.widened(tokens)
        kernels.rms_norm_(
            wide[:, :channels], hidden_TC, kernels.rms_scale(hidden_TC, first.variance_epsilon), first.weight
        )
        layer.qkv.inner(wide)
        qkv = layer.qkv.forward(wide)
        query, key, value = _split_heads(qkv, layer)
        raw = None
        if layer.head_norms[0] is not None:
            raw = (query, key)
            query, key = (_head_norm(x, norm) for x, norm in zip(raw, layer.head_norms, strict=True))
        query, key = kernels.rotate(query, cos, sin), kernels.rotate(key, cos, sin)
        attended, log_sums = kernels.attend(query, key, value, segments, layer.scale)
        attended_wide = layer.out.widened(tokens)
        attended_wide[:, : layer.out.inputs] = attended.view(tokens, -1)
        layer.out.inner(attended_wide)
        middle_TC = layer.out.forward(attended_wide, hidden_TC)

        mlp_wide = layer.gate_up.widened(tokens)
        kernels.rms_norm_(
            mlp_wide[:, :channels], middle_TC, kernels.rms_scale(middle_TC, second.variance_epsilon), second.weight
        )
        layer.gate_up.inner(mlp_wide)
        gate_up_TF = layer.gate_up.forward(mlp_wide)
        width = layer.down.inputs
        gate, up = gate_up_TF[:, :width], gate_up_TF[:, width:]
        down_wide = layer.down.widened(tokens)
        torch.mul(functional.silu(gate), up, out=down_wide[:, :width])
        layer.down.inner(down_wide)
        out_TC = layer.down.forward(down_wide, middle_TC)
        ctx.layer, ctx.cos, ctx.sin, ctx.segments = layer, cos, sin, segments
        down_inner = down_wide[:, width:].clone()  # the product in front of it is remade when it is needed
        ctx.kept = _Kept(
            hidden_TC,
            wide,
            query,
            key,
            value,
            raw,
            attended_wide,
            log_sums,
            middle_TC,
            mlp_wide,
            gate_up_TF,
            down_inner,
        )
        return out_TC

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        (grad_TC,) = grads
        layer: FusedLayer = ctx.layer
        kept: _Kept = ctx.kept
        ctx.kept = None
        tokens = grad_TC.shape[0]
        first, second = layer.norms
        width = layer.down.inputs

        gate, up = kept.gate_up[:, :width], kept.gate_up[:, width:]
        activated = functional.silu(gate)
        down_wide = torch.empty(tokens, layer.down.width, dtype=grad_TC.dtype)
        torch.mul(activated, up, out=down_wide[:, :width])
        down_wide[:, width:] = kept.down_inner
        product_grad, down_grads = layer.down.backward(grad_TC, down_wide)
        gate_up_grad = torch.empty_like(kept.gate_up)
        torch.mul(product_grad, activated, out=gate_up_grad[:, width:])
        torch.ops.aten.silu_backward.grad_input(product_grad.mul_(up), gate, grad_input=gate_up_grad[:, :width])
        normed_grad, gate_up_grads = layer.gate_up.backward(gate_up_grad, kept.mlp_wide)
        scale = kernels.rms_scale(kept.middle, second.variance_epsilon)
        middle_grad = kernels.rms_norm_backward(normed_grad, kept.middle, scale, second.weight, grad_TC)

        attended_grad, out_grads = layer.out.backward(middle_grad, kept.attended_wide)
        shape = kept.query.shape
        qkv_grad = torch.empty(tokens, sum(layer.qkv.outputs), dtype=grad_TC.dtype)
        query_grad, key_grad, value_grad = _split_heads(qkv_grad, layer)
        rotated = kernels.attend_backward(
            attended_grad.reshape(shape),
            kept.query,
            kept.key,
            kept.value,
            _as_heads(kept.attended_wide[:, : layer.out.inputs], layer.head_size),
            kept.log_sums,
            ctx.segments,
            layer.scale,
            value_grad,
        )
        for index, (target, turned) in enumerate(zip((query_grad, key_grad), rotated, strict=True)):
            grad = kernels.rotate(turned, ctx.cos, -ctx.sin)
            norm = layer.head_norms[index]
            if norm is not None and kept.raw is not None:
                x = kept.raw[index]
                scale = kernels.rms_scale(x, norm.variance_epsilon)
                grad = kernels.rms_norm_backward(grad, x, scale, norm.weight, None)
            target.copy_(grad)
        input_grad = None
        if ctx.needs_input_grad[0]:
            normed_grad, qkv_grads = layer.qkv.backward(qkv_grad, kept.wide)
            scale = kernels.rms_scale(kept.input, first.variance_epsilon)
            input_grad = kernels.rms_norm_backward(normed_grad, kept.input, scale, first.weight, middle_grad)
        else:
            qkv_grads = layer.qkv.backward_parameters(qkv_grad, kept.wide)
        return input_grad, None, None, None, None, *qkv_grads, *out_grads, *gate_up_grads, *down_grads


def _split_heads(qkv: torch.Tensor, layer: FusedLayer) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Views of queries (T, H, D), keys and values (T, K, D)."""
    query, key, value = torch.split(qkv, layer.qkv.outputs, dim=1)
    size = layer.head_size
    return _as_heads(query, size), _as_heads(key, size), _as_heads(value, size)


def _as_heads(x: torch.Tensor, size: int) -> torch.Tensor:
    """(T, heads · D) as (T, heads, D), without a copy whatever the stride of the rows."""
    return x.as_strided((x.shape[0], x.shape[1] // size, size), (x.stride(0), size, 1), x.storage_offset())


def _head_norm(x: torch.Tensor, norm: Any) -> torch.Tensor:
    target = torch.empty_like(x, memory_format=torch.contiguous_format)
    return kernels.rms_norm_(target, x, kernels.rms_scale(x, norm.variance_epsilon), norm.weight)
