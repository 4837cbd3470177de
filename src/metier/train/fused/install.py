"""Whether the engine room fits a model, and putting it in."""

from __future__ import annotations

from typing import Any

import torch

from metier.core.i18n import translate
from metier.train.fused.head import HeadLoss
from metier.train.fused.layer import FusedLayer
from metier.train.loss import Head

# Decoder layers whose forward is the one written out in `layer.py`, by model type.
_KINDS = {"llama", "mistral", "qwen2", "qwen3"}


def fits(model: Any) -> str | None:
    """None if the engine room fits, else why it does not, in the current language."""
    if not hasattr(model, "peft_config"):
        return translate("train.unfit_all_weights")
    base = model.get_base_model()
    config = base.config
    if config.model_type not in _KINDS:
        return translate("train.unfit_model_type", type=config.model_type)
    if getattr(config, "hidden_act", None) != "silu":
        return translate("train.unfit_activation")
    if set(getattr(config, "layer_types", None) or ["full_attention"]) != {"full_attention"}:
        return translate("train.unfit_sliding")
    if base.model.layers and getattr(config, "sliding_window", None) and config.model_type == "mistral":
        return translate("train.unfit_sliding")
    if any(p.device.type != "cpu" or p.dtype != torch.float32 for p in base.parameters()):
        return translate("train.unfit_not_float32")
    if base.lm_head.bias is not None or base.lm_head.weight.requires_grad:
        return translate("train.unfit_output_layer")
    return next((reason for module in model.modules() if (reason := _unfit(module))), None)


def _unfit(module: Any) -> str | None:
    """Why a PEFT module is not the plain LoRA of a plain linear layer."""
    if not hasattr(module, "lora_A"):
        return None
    if type(module.base_layer) is not torch.nn.Linear:
        return translate("train.unfit_lora_on", layer=type(module.base_layer).__name__)
    if list(module.lora_A) != ["default"] or module.merged or len(module.lora_variant):
        return translate("train.unfit_lora_variant")
    if not isinstance(module.lora_dropout["default"], torch.nn.Identity):
        return translate("train.unfit_lora_dropout")
    if module.lora_bias["default"] or module.fan_in_fan_out:
        return translate("train.unfit_lora_bias")
    return None


def install(model: Any) -> Head:
    """Replaces the forward of each decoder layer, and lets the output layer pass hidden states on.

    Returns the head that turns those hidden states, at labels, into the loss.
    """
    base = model.get_base_model()
    for layer in base.model.layers:
        layer.forward = FusedLayer(layer)
    weight_VC = base.lm_head.weight
    base.lm_head.forward = _pass_on

    def head(hidden_PC: torch.Tensor, targets_P: torch.Tensor) -> torch.Tensor:
        apply: Any = HeadLoss.apply
        loss: torch.Tensor = apply(hidden_PC, weight_VC, targets_P)
        return loss

    return head


def _pass_on(hidden: torch.Tensor) -> torch.Tensor:
    return hidden
