"""Fixtures shared by all tests: an own data folder per test, no hub, English messages, tiny models."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tools.screenshot import Browser, browser, find_chromium

from tests.support import bench
from tests.support.postgres import Postgres, running

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from metier.workbench.accounts import Person
    from metier.workbench.workbench import Workbench

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

SHARED = Path(__file__).resolve().parents[2] / "shared"


NOT_UNITS = ("tests/faults/", "tests/security/")  # whole servers are attacked, killed and filled there: `make test`


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest --database postgresql tests/api`: all that is tested on an opened workbench, on PostgreSQL."""
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite")


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL."""
    if shutil.which("initdb") is None:
        pytest.skip("PostgreSQL's initdb is not on this machine")
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def tables(postgres: Postgres) -> str:
    """The name of a database that has the tables and no rows: copies of it are made in no time."""
    from metier.workbench.store.database import Database

    made = Database(postgres.create("tables"))
    made.upgrade()
    made.close()
    return "tables"


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """Which database the workbench keeps its rows in. `ON_BOTH` of tests/support/postgres.py tries each."""
    return str(request.config.getoption("--database"))


@pytest.fixture
def rows_in(database: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of a workbench whose rows are in that database, which is new."""
    if database == "sqlite":
        return {}
    server: Postgres = request.getfixturevalue("postgres")
    like = request.getfixturevalue("tables")
    return {"database_url": server.create(f"rows{time.monotonic_ns()}", like=like)}


@pytest.fixture
def workbench(tmp_path: Path, rows_in: dict[str, str]) -> Iterator[Workbench]:
    """An opened workbench on a folder of its own; its queue is not looked after."""
    with bench.opened(tmp_path / "bench", **rows_in) as opened:
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
