"""Models: which are known, how they come here, what this machine can do with them, and how they are loaded.

A model is a folder of safetensors, found by a name of the catalogue, a name in the store, `hf:`, `ms:`, `pypi:` or a
path. Nothing is imported from torch or transformers until a model is loaded.
"""

from metier.models.catalogue import CatalogueEntry, catalogue, find
from metier.models.doctor import Finding, doctor
from metier.models.hardware import Hardware, choose_device, choose_dtype, hardware
from metier.models.library import ModelInfo, add_model, list_models, remove_model, show_model
from metier.models.load import attach_adapter, load_config, load_model, load_tokenizer
from metier.models.resolve import ResolvedModel, model_identity, resolve_model
from metier.models.spec import ModelSpec

__all__ = [
    "CatalogueEntry",
    "Finding",
    "Hardware",
    "ModelInfo",
    "ModelSpec",
    "ResolvedModel",
    "add_model",
    "attach_adapter",
    "catalogue",
    "choose_device",
    "choose_dtype",
    "doctor",
    "find",
    "hardware",
    "list_models",
    "load_config",
    "load_model",
    "load_tokenizer",
    "model_identity",
    "remove_model",
    "resolve_model",
    "show_model",
]
