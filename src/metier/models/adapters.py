"""A LoRA adapter belongs to one base: checked before it is put on another."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from metier.core.errors import ModelError
from metier.core.files import read_json, write_json
from metier.models.catalogue import CatalogueEntry, find
from metier.models.checks import PICKLES, TensorHeader, model_weights, read_safetensors_header, tensor_headers
from metier.models.hashes import file_sha256

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
BASE_RECORD = "base.json"
_LORA_KEY = re.compile(r"(?:base_model\.model\.)?(?P<module>.+)\.lora_(?P<side>[AB])(?:\.[^.]+)?\.weight")


def write_base_record(adapter: Path, base: Path, reference: str) -> None:
    """Records beside an adapter which weights it was trained on, so that `check_adapter` can tell them from others."""
    hashes = {path.name: file_sha256(path) for path in model_weights(base)}
    write_json(adapter / BASE_RECORD, {"reference": reference, "weights_sha256": hashes})


def check_adapter(adapter: Path, base: Path, *, base_reference: str, entry: CatalogueEntry | None) -> None:
    """Raises ModelError if `adapter` is not a LoRA in safetensors, or was trained on another model than `base`.

    Three signs, each enough: the recorded hashes of the base's weights, two different models of the catalogue by name,
    and target modules whose shapes are not the base's.
    """
    config = _adapter_config(adapter)
    headers = read_safetensors_header(adapter / ADAPTER_WEIGHTS)
    named = str(config.get("base_model_name_or_path") or "")
    record = _base_record(adapter)
    if record:
        recorded = set(record.get("weights_sha256", {}).values())
        if recorded != {file_sha256(path) for path in model_weights(base)}:
            raise _other(adapter, str(record.get("reference") or named), base_reference, "weights sha256")
        return
    theirs = find(named)
    if entry and theirs and theirs.name != entry.name:
        raise _other(adapter, named, base_reference, f"{theirs.title} ≠ {entry.title}")
    difference = _shape_difference(headers, tensor_headers(base))
    if difference:
        raise _other(adapter, named or "?", base_reference, difference)


def _adapter_config(adapter: Path) -> dict[str, Any]:
    if not (adapter / ADAPTER_CONFIG).is_file():
        raise ModelError("models.adapter_missing", folder=adapter)
    try:
        config = json.loads((adapter / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError("models.bad_json", file=adapter / ADAPTER_CONFIG, problem=str(error)) from error
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        kind = config.get("peft_type") if isinstance(config, dict) else None
        raise ModelError("models.adapter_kind", folder=adapter, kind=kind)
    if not (adapter / ADAPTER_WEIGHTS).is_file():
        pickles = sorted(path for path in adapter.iterdir() if path.suffix in PICKLES)
        if pickles:
            raise ModelError("models.pickle", file=pickles[0])
        raise ModelError("models.adapter_missing", folder=adapter)
    return config


def _base_record(adapter: Path) -> dict[str, Any]:
    path = adapter / BASE_RECORD
    if not path.is_file():
        return {}
    try:
        record = read_json(path)
    except ValueError as error:
        raise ModelError("models.bad_json", file=path, problem=str(error)) from error
    return record if isinstance(record, dict) else {}


def _other(adapter: Path, trained_on: str, base: str, difference: str) -> ModelError:
    return ModelError(
        "models.adapter_other_base", folder=adapter, trained_on=trained_on, base=base, difference=difference
    )


def _shape_difference(adapter: dict[str, TensorHeader], base: dict[str, TensorHeader]) -> str | None:
    """The first adapted module whose weight is absent from the base or has another shape; None if all fit.

    Checkpoints may prefix names otherwise than modules do, so a module is also found by its name from `layers.` on.
    """
    weights: dict[str, list[TensorHeader]] = {}
    for name, header in base.items():
        for known in {name, _from_layers(name)}:
            weights.setdefault(known, []).append(header)
    fused = any(".experts." in name for name in base)
    for key, header in adapter.items():
        match = _LORA_KEY.fullmatch(key)
        if not match or match["module"].endswith(("embed_tokens", "lm_head")) or len(header.shape) != 2:
            continue
        wanted = f"{match['module']}.weight"
        candidates = weights.get(wanted) or weights.get(_from_layers(wanted), [])
        side, axis = (1, 1) if match["side"] == "A" else (0, 0)
        sizes = {item.shape[axis] for item in candidates if len(item.shape) == 2}
        if not candidates and not fused:
            return f"no module {match['module']}"
        if sizes and header.shape[side] not in sizes:
            return f"{match['module']}: {header.shape[side]} ≠ {sorted(sizes)[0]}"
    return None


def _from_layers(name: str) -> str:
    """`model.language_model.layers.3.mlp.up_proj.weight` → `layers.3.mlp.up_proj.weight`."""
    match = re.search(r"(?:layers|blocks)\.\d+\..*", name)
    return match.group() if match else name
