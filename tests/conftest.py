"""Fixtures shared by all tests: an own data folder per test, no hub, English messages, tiny models."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has its own data folder and English messages."""
    from metier.core.i18n import use_language
    from metier.core.settings import settings

    use_language(None)
    monkeypatch.setenv("METIER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("METIER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("METIER_LANGUAGE", "en")
    settings.cache_clear()
    yield tmp_path / "home"
    settings.cache_clear()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny random Llama and a byte tokenizer (ChatML)."""
    from tests.support.tiny import tiny_llama

    return tiny_llama(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real public data beside the project; skips where it is absent."""
    data = SHARED / "data"
    if not data.is_dir():
        pytest.skip("the public data beside the project (shared/data) is absent")
    return data
