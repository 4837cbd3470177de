"""A lively tiny model: large random weights, so that its answers wander instead of repeating one token."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Threads that wait for one another cost tiny models more than they bring, above all on a busy machine."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.support.tiny import tiny_llama

    folder = tmp_path_factory.mktemp("lively") / "model"
    return tiny_llama(folder, tie_word_embeddings=False, initializer_range=0.3)


@pytest.fixture(scope="session")
def adapter(lively: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter with weights large enough to change answers."""
    return _adapter(lively, tmp_path_factory.mktemp("adapter") / "adapter", seed=1)


@pytest.fixture(scope="session")
def other_adapter(lively: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another one over the same base."""
    return _adapter(lively, tmp_path_factory.mktemp("adapter") / "other", seed=2)


def _adapter(base: Path, folder: Path, *, seed: int) -> Path:
    from peft import LoraConfig, get_peft_model

    from tests.engines.support import load

    torch.manual_seed(seed)
    model = get_peft_model(load(base), LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False))
    model.save_pretrained(folder)
    return folder
