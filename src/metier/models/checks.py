"""What a folder must be before anything in it is opened: safetensors that are whole, and no code."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.core.errors import ModelError

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
_CONFIGS = ("config.json", "tokenizer_config.json", "processor_config.json", "preprocessor_config.json")
_HEADER_LIMIT = 100_000_000  # bytes; the limit of the safetensors format


@dataclass(frozen=True, slots=True)
class TensorHeader:
    """One tensor as a safetensors header describes it. dtype: `F32`, `BF16`, …"""

    dtype: str
    shape: tuple[int, ...]


def check_model_folder(folder: Path) -> None:
    """Raises ModelError naming the file that is missing, broken, a pickle or asks for code of its own."""
    if not folder.is_dir():
        raise ModelError("models.no_folder", folder=folder)
    read_model_config(folder)
    for path in model_weights(folder):
        read_safetensors_header(path)


def read_model_config(folder: Path) -> dict[str, Any]:
    """The folder's `config.json`. Raises ModelError if it, or one of a tokenizer or processor, wants its own code."""
    if not (folder / "config.json").is_file():
        raise ModelError("models.no_config", folder=folder)
    for name in _CONFIGS:
        path = folder / name
        if not path.is_file():
            continue
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ModelError("models.bad_json", file=path, problem=str(error)) from error
        if not isinstance(config, dict):
            raise ModelError("models.bad_json", file=path, problem="not an object")
        if config.get("auto_map"):
            raise ModelError("models.remote_code", file=path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if not config.get("model_type"):
        raise ModelError("models.no_model_type", file=folder / "config.json")
    return dict(config)


def model_weights(folder: Path) -> list[Path]:
    """The safetensors files of a model: those its index names, else all in the folder."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ModelError("models.bad_json", file=index, problem=str(error)) from error
        for name in names:
            if Path(name).name != name or not (folder / name).is_file():
                raise ModelError("models.missing_shard", file=folder / name)
        return [folder / name for name in names]
    found = sorted(path for path in folder.glob("*.safetensors") if not path.name.startswith("adapter"))
    if found:
        return found
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    if pickles:
        raise ModelError("models.pickle", file=folder / pickles[0])
    raise ModelError("models.no_weights", folder=folder)


def read_safetensors_header(path: Path) -> dict[str, TensorHeader]:
    """The tensors of a safetensors file, without reading them. Raises ModelError if the file is cut or inconsistent.

    Format: https://huggingface.co/docs/safetensors: 8 bytes little-endian length, JSON, then the tensors' bytes.
    """
    size = path.stat().st_size
    with path.open("rb") as source:
        start = source.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(_HEADER_LIMIT, size - 8):
            raise ModelError("models.broken_safetensors", file=path, problem=f"header length {length} of {size} bytes")
        text = source.read(length)
    try:
        entries = json.loads(text)
        entries.pop("__metadata__", None)
        headers = {name: TensorHeader(item["dtype"], tuple(item["shape"])) for name, item in entries.items()}
        end = max((item["data_offsets"][1] for item in entries.values()), default=0)
    except (ValueError, KeyError, AttributeError, TypeError, IndexError) as error:
        raise ModelError("models.broken_safetensors", file=path, problem="header is not readable JSON") from error
    if end != size - 8 - length:
        problem = f"{size - 8 - length} bytes of tensors, {end} in the header"
        raise ModelError("models.broken_safetensors", file=path, problem=problem)
    return headers


def tensor_headers(folder: Path) -> dict[str, TensorHeader]:
    """All tensors of the model in `folder`, by name."""
    return {name: item for path in model_weights(folder) for name, item in read_safetensors_header(path).items()}
