"""Frozen linear layers that share their input, with LoRA, as one matrix product.

For layers W₁ … Wₙ with LoRA (Aᵢ, Bᵢ, scale sᵢ) the product of the widened input [x, xA₁ᵀ, …, xAₙᵀ, 1] with the widened
weight

    [ W₁  s₁B₁            b₁ ]
    [ …          …        …  ]
    [ Wₙ            sₙBₙ  bₙ ]

is all their outputs side by side. Its transpose, applied to the output's gradient, gives the input's gradient and, in
the further columns, the gradient of xAᵢᵀ. T tokens, I inputs, O outputs of all layers, R ranks of all layers, W = I + R
and the padding to a multiple of 16 that keeps rows aligned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

_ALIGN = 16


@dataclass(frozen=True)
class LoraPart:
    """Where one LoRA sits in the widened weight. rows: its outputs; columns: its rank; a, b: its parameters."""

    rows: slice
    columns: slice
    scale: float
    a: torch.nn.Parameter
    b: torch.nn.Parameter


class LinearGroup:
    """Linear modules (plain, or PEFT's LoRA around plain ones) that read the same input.

    The modules' own weights become views of the widened weight, so that nothing is held twice.
    """

    def __init__(self, modules: Sequence[Any]) -> None:
        bases = [getattr(module, "base_layer", module) for module in modules]
        inputs = bases[0].in_features
        outputs = [base.out_features for base in bases]
        ranks = [module.r["default"] if hasattr(module, "lora_A") else 0 for module in modules]
        biased = any(base.bias is not None for base in bases)
        width = -(-(inputs + sum(ranks) + biased) // _ALIGN) * _ALIGN
        weight_OW = torch.zeros(sum(outputs), width, dtype=bases[0].weight.dtype)
        self.inputs = inputs
        self.width = width
        self.outputs = outputs
        self.bias_column = inputs + sum(ranks) if biased else None
        self.parts: list[LoraPart] = []
        row, column = 0, inputs
        for module, base, output, rank in zip(modules, bases, outputs, ranks, strict=True):
            rows = slice(row, row + output)
            weight_OW[rows, :inputs].copy_(base.weight.detach())
            base.weight.data = weight_OW[rows, :inputs]
            if base.bias is not None:
                weight_OW[rows, self.bias_column].copy_(base.bias.detach())
            if rank:
                part = LoraPart(
                    rows,
                    slice(column, column + rank),
                    module.scaling["default"],
                    module.lora_A["default"].weight,
                    module.lora_B["default"].weight,
                )
                self.parts.append(part)
            row, column = row + output, column + rank
        self.weight_OW = weight_OW

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        """The trained matrices: A and B of each LoRA."""
        return [parameter for part in self.parts for parameter in (part.a, part.b)]

    def refresh(self) -> None:
        """Copies LoRA's second matrices, which training changes, into the widened weight."""
        for part in self.parts:
            torch.mul(part.b.detach(), part.scale, out=self.weight_OW[part.rows, part.columns])

    def widened(self, tokens: int) -> torch.Tensor:
        """An input buffer (T, W): the first I columns are for the caller to fill."""
        wide_TW = torch.empty(tokens, self.width, dtype=self.weight_OW.dtype)
        wide_TW[:, self.inputs :] = 0.0
        if self.bias_column is not None:
            wide_TW[:, self.bias_column] = 1.0
        return wide_TW

    def inner(self, wide_TW: torch.Tensor) -> None:
        """Fills the columns xAᵀ of a widened input from its first I columns."""
        if self.parts:
            torch.mm(wide_TW[:, : self.inputs], self._a().t(), out=wide_TW[:, self._inner])

    def forward(self, wide_TW: torch.Tensor, residual_TO: torch.Tensor | None = None) -> torch.Tensor:
        """All outputs side by side (T, O), added to `residual_TO` where given."""
        if residual_TO is not None:
            return torch.addmm(residual_TO, wide_TW, self.weight_OW.t())
        return torch.mm(wide_TW, self.weight_OW.t())

    def backward(self, grad_TO: torch.Tensor, wide_TW: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Gradients of the input (T, I; a view of a wider buffer) and of `parameters`, from that of the outputs."""
        wide_grad_TW = torch.mm(grad_TO, self.weight_OW)
        input_grad_TI = wide_grad_TW[:, : self.inputs]
        if not self.parts:
            return input_grad_TI, []
        inner_grad_TR = wide_grad_TW[:, self._inner]
        grads = self._parameter_grads(grad_TO, inner_grad_TR, wide_TW)
        return input_grad_TI.addmm_(inner_grad_TR, self._a()), grads

    def backward_parameters(self, grad_TO: torch.Tensor, wide_TW: torch.Tensor) -> list[torch.Tensor]:
        """Gradients of `parameters` alone, where nothing below is trained: without the wide product."""
        if not self.parts:
            return []
        return self._parameter_grads(grad_TO, torch.mm(grad_TO, self.weight_OW[:, self._inner]), wide_TW)

    def _parameter_grads(
        self, grad_TO: torch.Tensor, inner_grad_TR: torch.Tensor, wide_TW: torch.Tensor
    ) -> list[torch.Tensor]:
        a_grad_RI = torch.mm(inner_grad_TR.t(), wide_TW[:, : self.inputs])
        grads: list[torch.Tensor] = []
        for part in self.parts:
            start = part.columns.start - self._inner.start
            grads.append(a_grad_RI[start : start + part.columns.stop - part.columns.start])
            # With the rank first the product is wide, which is many times faster than its transpose.
            b_grad_RO = torch.mm(wide_TW[:, part.columns].t(), grad_TO[:, part.rows])
            grads.append(b_grad_RO.mul_(part.scale).t().contiguous())
        return grads

    @property
    def _inner(self) -> slice:
        """The columns of all xAᵀ."""
        return slice(self.parts[0].columns.start, self.parts[-1].columns.stop)

    def _a(self) -> torch.Tensor:
        matrices = [part.a.detach() for part in self.parts]
        return matrices[0] if len(matrices) == 1 else torch.cat(matrices)
