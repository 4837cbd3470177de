"""Fixtures shared by all tests: an own data folder per test, no hub, English messages, tiny models."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tools.screenshot import Browser, browser, find_chromium

from tests.support import bench

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from metier.workbench.accounts import Person
    from metier.workbench.workbench import Workbench

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

SHARED = Path(__file__).resolve().parents[2] / "shared"


NOT_UNITS = ("tests/faults/", "tests/security/")  # whole servers are attacked, killed and filled there: `make test`


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what `make check` leaves out by its folder."""
    for item in items:
        if item.nodeid.startswith(NOT_UNITS):
            item.add_marker(pytest.mark.slow)


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
def talking_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model that greedily talks on and on."""
    from tests.support.tiny import tiny_talker

    return tiny_talker(tmp_path_factory.mktemp("models") / "tiny-talker")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real public data beside the project; skips where it is absent."""
    data = SHARED / "data"
    if not data.is_dir():
        pytest.skip("the public data beside the project (shared/data) is absent")
    return data


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    """An opened workbench on a folder of its own; its queue is not looked after."""
    with bench.opened(tmp_path / "bench") as opened:
        yield opened
        bench.end_all(opened)


@pytest.fixture
def owner(workbench: Workbench) -> Person:
    """The first account: an admin called li."""
    return workbench.accounts.sign_up("li", bench.PASSWORD)


@pytest.fixture
def client(workbench: Workbench) -> Iterator[TestClient]:
    """A client of the whole application, nobody signed in; the queue is looked after."""
    with bench.client_of(workbench) as opened:
        yield opened


@pytest.fixture
def served(workbench: Workbench) -> Iterator[str]:
    """The address of the application on a real port."""
    with bench.serving(workbench) as address:
        yield address


@pytest.fixture
def tab() -> Iterator[Browser]:
    """A tab of a real Chromium; skips where there is none."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium on this machine: tools/system_packages.sh installs it")
    with browser(chromium) as opened:
        yield opened
