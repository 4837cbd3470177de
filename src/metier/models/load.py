"""Loads what `resolve_model` found. Nothing here asks a hub, runs a model's own code, or opens a pickle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from metier.core.errors import ModelError
from metier.models.checks import check_model_folder, read_model_config
from metier.models.hardware import choose_device, choose_dtype
from metier.models.nohub import no_hub, quiet
from metier.models.resolve import ResolvedModel

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase


def load_tokenizer(resolved: ResolvedModel) -> PreTrainedTokenizerBase:
    """The tokenizer of the base model. Raises ModelError if the folder has none that can be read."""
    from transformers import AutoTokenizer

    read_model_config(resolved.folder)
    with no_hub():
        try:
            tokenizer = AutoTokenizer.from_pretrained(resolved.folder, local_files_only=True)
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise ModelError("models.no_tokenizer", folder=resolved.folder, problem=_first_line(error)) from error
    return cast("PreTrainedTokenizerBase", tokenizer)


def load_config(resolved: ResolvedModel) -> PretrainedConfig:
    """The configuration. Raises ModelError for an architecture that the installed transformers does not have."""
    from transformers import AutoConfig

    kind = read_model_config(resolved.folder)["model_type"]
    with no_hub():
        try:
            return AutoConfig.from_pretrained(resolved.folder, local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            raise ModelError("models.unknown_architecture", folder=resolved.folder, kind=kind) from error


def load_model(
    resolved: ResolvedModel,
    *,
    dtype: torch.dtype | str = "auto",
    device: str = "auto",
    attn_implementation: str | None = None,
) -> PreTrainedModel:
    """The base model with its adapter, if any (through PEFT, not merged), in evaluation mode.

    dtype: `auto` takes what `choose_dtype` says of the device; device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
    Raises ModelError for files that are not whole safetensors, an unknown architecture, an adapter that does not fit.
    """
    check_model_folder(resolved.folder)
    config = load_config(resolved)
    place = choose_device() if device == "auto" else device
    options: dict[str, Any] = {
        "config": config,
        "dtype": choose_dtype(place) if dtype == "auto" else dtype,
        "use_safetensors": True,
        "local_files_only": True,
        "low_cpu_mem_usage": True,
    }
    if attn_implementation is not None:
        options["attn_implementation"] = attn_implementation
    with no_hub(), quiet():
        try:
            model = model_class(config).from_pretrained(resolved.folder, **options)
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError("models.cannot_load", folder=resolved.folder, problem=_first_line(error)) from error
    model = model.to(place)
    if resolved.adapter is not None:
        model = attach_adapter(model, resolved.adapter)
    return cast("PreTrainedModel", model.eval())


def model_class(config: PretrainedConfig) -> Any:
    """The auto class for a configuration: image-and-text models keep their eyes, all others write text."""
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

    if hasattr(config, "vision_config") and type(config) in AutoModelForImageTextToText._model_mapping:
        return AutoModelForImageTextToText
    return AutoModelForCausalLM


def attach_adapter(model: Any, folder: Path, name: str = "default") -> Any:
    """A model with one more adapter, through PEFT; it was checked against this base before (`resolve_model`).

    Raises ModelError if its files cannot be loaded.
    """
    from peft import PeftModel

    with no_hub(), quiet():
        try:
            if isinstance(model, PeftModel):
                model.load_adapter(str(folder), adapter_name=name, local_files_only=True)
                return model.eval()
            return PeftModel.from_pretrained(model, str(folder), adapter_name=name, local_files_only=True).eval()
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            problem = _first_line(error)
            raise ModelError("models.adapter_cannot_load", folder=folder, problem=problem) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
