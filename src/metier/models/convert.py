"""From GGUF to a folder as transformers writes it: float32 safetensors, tokenizer, configuration.

float32 because the numbers of a 4-bit file (scale × level + offset, the two in float16) need more bits than bfloat16 or
float16 have: so the folder says exactly what the package said, on every machine, and a processor with bfloat16 rounds
once when it loads. It costs 4 bytes a parameter on disk, of a model small enough to come in a package.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from metier.core.errors import ModelError
from metier.core.files import read_json, write_json
from metier.models.nohub import no_hub


def convert_gguf(gguf: Path, folder: Path, *, digit_splitting: bool) -> None:
    """Writes the model of one GGUF file into `folder`.

    digit_splitting: put back the tokenizer's step that makes each digit a token, which GGUF cannot say.
    Raises ModelError if the file's tensors do not fill the model.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    source = {"gguf_file": gguf.name, "local_files_only": True}
    with (
        no_hub(),
        _parsed_once(),
        contextlib.redirect_stderr(io.StringIO()),
    ):  # its progress bars; errors are exceptions
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **source)
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **source)
        _tidy_model(model)
        model.generation_config = GenerationConfig(
            bos_token_id=model.config.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
        model.save_pretrained(folder)
    if digit_splitting:
        _split_digits(tokenizer)
    tokenizer.model_max_length = model.config.max_position_embeddings
    tokenizer.save_pretrained(folder)
    _tidy_tokenizer_config(folder)


@contextlib.contextmanager
def _parsed_once() -> Iterator[None]:
    """Within it, a GGUF file is parsed once, and the names of an architecture's tensors are listed once.

    transformers does the first three times and the second for every module, which is most of a conversion's time.
    """
    import gguf

    reader, names = gguf.GGUFReader, gguf.get_tensor_name_map
    gguf.GGUFReader, gguf.get_tensor_name_map = cache(reader), cache(names)
    try:
        yield
    finally:
        gguf.GGUFReader, gguf.get_tensor_name_map = reader, names


def _tidy_model(model: Any) -> None:
    """The weights are plain numbers now; without this, the folder would ask for a quantiser it does not need."""
    model.config.__dict__.pop("_model_name_or_path", None)
    model.config.rms_norm_eps = float(f"{model.config.rms_norm_eps:.6g}")  # 1e-05 went through float32
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.hf_quantizer = None
    model.is_quantized = False


def _split_digits(tokenizer: Any) -> None:
    """`Digits(individual_digits=True)` before `ByteLevel`, as the original SmolLM2 tokenizer has it."""
    from tokenizers import pre_tokenizers

    steps = [
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
    ]
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    pieces = tokenizer.tokenize("12345")
    if pieces != list("12345"):
        raise ModelError("models.bad_conversion", problem=f"12345 → {json.dumps(pieces, ensure_ascii=False)}")


def _tidy_tokenizer_config(folder: Path) -> None:
    """Leaves out how the tokenizer was loaded here."""
    path = folder / "tokenizer_config.json"
    config = read_json(path)
    write_json(path, {key: value for key, value in config.items() if key not in ("is_local", "local_files_only")})
