"""The model that is trained: the base, with a new adapter or one to go on with, in the number format of the machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch

from metier.core.errors import ConfigError
from metier.models import ResolvedModel, choose_device, choose_dtype, hardware, load_config, load_model
from metier.models.checks import check_model_folder
from metier.models.load import model_class
from metier.models.parts import Part, lora_modules, part_of
from metier.train import attention
from metier.train.spec import TrainSpec

# Shares of a device's memory that weights may take before memory is saved at the cost of time.
_CHECKPOINTING_SHARE = 0.3
_SHARDING_SHARE = 0.6
_TOKENS_CPU = 1024
_TOKENS_GPU = 8192


@dataclass(frozen=True)
class Machine:
    """What the spec's `auto` comes to here. device: as torch names it; dtype: of the computation; pictured: whether
    rows have pictures, perhaps not all, so that parts of the model may idle in a step."""

    device: str
    dtype: str
    attn_implementation: str
    packing: bool
    tokens_per_batch: int
    gradient_checkpointing: bool
    fsdp: bool
    pictured: bool = False

    @property
    def is_cpu(self) -> bool:
        return self.device == "cpu"


def choose_machine(spec: TrainSpec, resolved: ResolvedModel, *, pictured: bool = False) -> Machine:
    """Decides device, number format, attention and memory measures from spec, hardware and size of the weights.

    pictured: whether rows have pictures: then they are padded and attention is torch's own, with the masks that the
    model makes, since what looks at a picture is not causal.
    """
    device = choose_device() if spec.device == "auto" else spec.device
    dtype = choose_dtype(device) if spec.dtype == "auto" else spec.dtype
    if dtype == "float16" and not device.startswith("cuda"):
        raise ConfigError("train.float16_needs_gpu", device=device)
    size = _training_bytes(spec, resolved, dtype)
    memory = _memory(device)
    chosen = "sdpa" if pictured else attention.register()
    attn = chosen if spec.attn_implementation == "auto" else spec.attn_implementation
    checkpointing = spec.gradient_checkpointing
    return Machine(
        device=device,
        dtype=dtype,
        attn_implementation=attn,
        packing=spec.packing and not pictured,
        tokens_per_batch=spec.tokens_per_batch or (_TOKENS_GPU if device.startswith("cuda") else _TOKENS_CPU),
        gradient_checkpointing=checkpointing == "on"
        or (checkpointing == "auto" and size > _CHECKPOINTING_SHARE * memory),
        fsdp=spec.num_processes > 1
        and (spec.fsdp == "on" or (spec.fsdp == "auto" and device != "cpu" and size > _SHARDING_SHARE * memory)),
        pictured=pictured,
    )


def _training_bytes(spec: TrainSpec, resolved: ResolvedModel, dtype: str) -> int:
    """Bytes of weights, gradients and optimiser state; those of an adapter are small beside the base's weights."""
    on_disk = sum(path.stat().st_size for path in resolved.folder.glob("*.safetensors"))
    # Full fine-tuning holds weight, gradient and two moments in float32: 16 bytes for what is mostly 2 on disk.
    return on_disk if spec.finetuning_type == "lora" else on_disk * 8


def _memory(device: str) -> int:
    machine = hardware()
    if device.startswith("cuda") and machine.gpus:
        return min(gpu.memory for gpu in machine.gpus)
    return machine.memory


def build_model(spec: TrainSpec, resolved: ResolvedModel, machine: Machine) -> Any:
    """Loads the base and makes it trainable. The random numbers of a new adapter come from `spec.seed` alone."""
    torch.manual_seed(spec.seed)
    # All weights are trained in float32 (autocast computes in the machine's format); a frozen base needs no more
    # than the format it is computed in.
    stored = machine.dtype if spec.finetuning_type == "lora" else "float32"
    base = ResolvedModel(resolved.reference, resolved.folder, resolved.entry)
    dtype, attn = getattr(torch, stored), machine.attn_implementation
    model: Any
    if machine.fsdp:
        model = load_to_shard(base, dtype, attn)
    else:
        model = load_model(base, dtype=dtype, device=machine.device, attn_implementation=attn)
    if spec.finetuning_type == "lora":
        model = _with_lora(model, spec, resolved)
    else:
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(part_of(name) not in spec.frozen)
    return model


def load_to_shard(resolved: ResolvedModel, dtype: torch.dtype, attn_implementation: str) -> Any:
    """The base on the CPU in the first process, without weights in the others, which are sent theirs when the model is
    sharded: no device could hold it whole, nor the machine one copy for each process."""
    if os.environ.get("RANK", "0") == "0":
        return load_model(resolved, dtype=dtype, device="cpu", attn_implementation=attn_implementation)
    check_model_folder(resolved.folder)
    config = load_config(resolved)
    with torch.device("meta"):
        return model_class(config).from_config(config, dtype=dtype, attn_implementation=attn_implementation)


def _with_lora(model: Any, spec: TrainSpec, resolved: ResolvedModel) -> Any:
    from peft import LoraConfig, PeftModel, get_peft_model

    model.requires_grad_(False)
    if resolved.adapter is not None:
        return PeftModel.from_pretrained(model, str(resolved.adapter), is_trainable=True, local_files_only=True)
    targets = _targets(model, spec)
    config = LoraConfig(
        r=spec.lora_rank,
        lora_alpha=spec.alpha,  # type: ignore[arg-type,unused-ignore]
        lora_dropout=spec.lora_dropout,
        target_modules=targets,
        task_type="CAUSAL_LM",
    )
    adapted = get_peft_model(model, config)
    adapted.peft_config["default"].base_model_name_or_path = resolved.reference
    return adapted


def _targets(model: Any, spec: TrainSpec) -> str | list[str]:
    """PEFT's `target_modules` for a spec's `lora_target`. Raises ConfigError for a layer that is not in the model."""
    names = [name.strip() for name in spec.lora_target.split(",") if name.strip()]
    if names != ["all"]:
        known = {module.rpartition(".")[2] for module in lora_modules(model, "all", spec.frozen)}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ConfigError("train.unknown_target", target=unknown[0], known=", ".join(sorted(known)))
    if hasattr(model.config, "vision_config"):
        chosen = lora_modules(model, spec.lora_target, spec.frozen)
        _check_parts(chosen, spec)
        return chosen
    return "all-linear" if names == ["all"] else names


def _check_parts(chosen: list[str], spec: TrainSpec) -> None:
    """Raises ConfigError for a part that should learn and has no layer that LoRA fits (Gemma 3's projector)."""
    reached = {part_of(name) for name in chosen}
    for part, switch in _SWITCHES.items():
        if part not in spec.frozen and part not in reached and spec.lora_target == "all":
            raise ConfigError("train.no_layer_in_part", key=switch)


_SWITCHES: dict[Part, str] = {
    "vision": "freeze_vision_tower",
    "projector": "freeze_multi_modal_projector",
    "language": "freeze_language_model",
}


def parameter_counts(model: torch.nn.Module) -> tuple[int, int]:
    """(trainable, total) parameters; a weight used twice counts once."""
    parameters = list(model.parameters())
    return sum(p.numel() for p in parameters if p.requires_grad), sum(p.numel() for p in parameters)
