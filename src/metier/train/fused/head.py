"""Cross-entropy of a frozen output layer without keeping logits.

P label positions, C channels, V vocabulary. The logits of a block of positions are made, turned into the loss and at
once into the gradient of the hidden states, and forgotten: softmax(logits) − target is all that the gradient needs.
"""

from __future__ import annotations

from typing import Any

import torch

_BLOCK_BYTES = 64 << 20  # of logits: large enough for an efficient product, small beside the model


class HeadLoss(torch.autograd.Function):
    """(hidden (P, C), weight (V, C), targets (P)) → sum of cross-entropies in nats; gradient of hidden only."""

    @staticmethod
    def forward(ctx: Any, hidden_PC: torch.Tensor, weight_VC: torch.Tensor, targets_P: torch.Tensor) -> torch.Tensor:
        needs_grad = hidden_PC.requires_grad
        grad_PC = torch.empty_like(hidden_PC) if needs_grad else None
        total = torch.zeros((), dtype=torch.float64)
        rows = max(32, _BLOCK_BYTES // (4 * weight_VC.shape[0]))
        for start in range(0, hidden_PC.shape[0], rows):
            part = slice(start, start + rows)
            logits = torch.mm(hidden_PC[part], weight_VC.t())
            chosen = targets_P[part, None]
            target_logits = logits.gather(1, chosen)
            highest = logits.amax(dim=1, keepdim=True)
            logits.sub_(highest).exp_()
            sums = logits.sum(dim=1, keepdim=True)
            total += (sums.log() + highest - target_logits).sum(dtype=torch.float64)
            if grad_PC is not None:
                logits.div_(sums)
                logits.scatter_add_(1, chosen, torch.full_like(target_logits, -1.0))
                torch.mm(logits, weight_VC, out=grad_PC[part])
        ctx.grad_PC = grad_PC
        return total.to(hidden_PC.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        grad_PC: torch.Tensor = ctx.grad_PC
        return grad_PC * grads[0], None, None
