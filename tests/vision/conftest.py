"""Models with eyes. One thread: tiny matrices gain nothing from more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.tiny_vision import tiny_mllama
from tests.vision.support import Talk


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def mllama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_mllama(tmp_path_factory.mktemp("vision") / "mllama", initializer_range=0.3)


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    """Makes messages with pictures."""
    return Talk(tmp_path)
