"""Models with eyes. One thread: tiny matrices gain nothing from more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rendering.families import TEMPLATES
from tests.support.tiny_vision import tiny_gemma3, tiny_internvl, tiny_mllama, tiny_qwen_vl, tiny_smolvlm
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


@pytest.fixture(scope="session")
def gemma3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    template = (TEMPLATES / "gemma3.jinja").read_text(encoding="utf-8")
    return tiny_gemma3(tmp_path_factory.mktemp("vision") / "gemma3", template=template, initializer_range=0.3)


@pytest.fixture(scope="session")
def qwen2_5_vl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_qwen_vl(tmp_path_factory.mktemp("vision") / "qwen2_5_vl", "qwen2_5_vl", initializer_range=0.3)


@pytest.fixture(scope="session")
def qwen3_vl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_qwen_vl(tmp_path_factory.mktemp("vision") / "qwen3_vl", "qwen3_vl", initializer_range=0.3)


@pytest.fixture(scope="session")
def internvl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_internvl(tmp_path_factory.mktemp("vision") / "internvl", initializer_range=0.3)


@pytest.fixture(scope="session")
def smolvlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_smolvlm(tmp_path_factory.mktemp("vision") / "smolvlm", initializer_range=0.3)


@pytest.fixture
def family(request: pytest.FixtureRequest) -> Path:
    """The folder of the family that a test is parametrised with, indirectly."""
    return Path(request.getfixturevalue(request.param))


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    """Makes messages with pictures."""
    return Talk(tmp_path)
