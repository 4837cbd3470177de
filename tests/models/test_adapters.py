"""An adapter is put on the base it was trained on, and on no other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import ModelError
from metier.models import load_model, resolve_model
from metier.models.adapters import write_base_record
from tests.support.tiny import tiny_llama


@pytest.fixture(scope="module")
def adapter(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter of the tiny model with weights that are not zero."""
    import torch
    from peft import LoraConfig, get_peft_model

    folder = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(0)
    model: Any = load_model(resolve_model(str(tiny_model)))
    model = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False))
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def copy(adapter: Path, tmp_path: Path) -> Path:
    """A copy of the adapter to spoil."""
    return Path(shutil.copytree(adapter, tmp_path / "adapter"))


def test_an_adapter_changes_the_answers_of_its_base(tiny_model: Path, adapter: Path) -> None:
    import torch

    ids = torch.tensor([[1, 5, 9]])
    base = load_model(resolve_model(str(tiny_model)))(input_ids=ids).logits
    tuned = load_model(resolve_model(str(tiny_model), str(adapter)))(input_ids=ids).logits
    assert not torch.allclose(base, tuned)


def test_a_wider_base_is_refused(adapter: Path, tmp_path: Path) -> None:
    other = tiny_llama(tmp_path / "wide", hidden_size=64)
    with pytest.raises(ModelError, match=r"was trained on .*, not on .*layers.*≠"):
        resolve_model(str(other), str(adapter))


def test_a_base_with_fewer_layers_is_refused(adapter: Path, tmp_path: Path) -> None:
    other = tiny_llama(tmp_path / "short", layers=1)
    with pytest.raises(ModelError, match=r"no module model\.layers\.1"):
        resolve_model(str(other), str(adapter))


def test_recorded_hashes_tell_apart_two_bases_of_one_shape(tiny_model: Path, copy: Path, tmp_path: Path) -> None:
    write_base_record(copy, tiny_model, "tiny")
    twin = tiny_llama(tmp_path / "twin", seed=1)
    resolve_model(str(tiny_model), str(copy))
    with pytest.raises(ModelError, match=r"was trained on tiny, not on .*sha256"):
        resolve_model(str(twin), str(copy))


def test_two_models_of_the_catalogue_are_told_apart_by_name(tiny_model: Path, copy: Path, own_home: Path) -> None:
    config = json.loads((copy / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "Qwen/Qwen3-8B"
    (copy / "adapter_config.json").write_text(json.dumps(config))
    shutil.copytree(tiny_model, own_home / "models" / "smollm2-360m")
    with pytest.raises(ModelError, match="was trained on Qwen/Qwen3-8B, not on smollm2-360m"):
        resolve_model("smollm2-360m", str(copy))


def test_an_adapter_as_pickle_is_refused(tiny_model: Path, copy: Path) -> None:
    (copy / "adapter_model.safetensors").rename(copy / "adapter_model.bin")
    with pytest.raises(ModelError, match=r"adapter_model\.bin is a pickle"):
        resolve_model(str(tiny_model), str(copy))


def test_a_folder_without_adapter_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not an adapter"):
        resolve_model(str(tiny_model), str(tmp_path / "nothing"))


def test_another_kind_of_adapter_is_refused(tiny_model: Path, copy: Path) -> None:
    (copy / "adapter_config.json").write_text('{"peft_type": "PROMPT_TUNING"}')
    with pytest.raises(ModelError, match="PROMPT_TUNING; only LoRA"):
        resolve_model(str(tiny_model), str(copy))
