"""The installation that attacks are tried on: SQLite, and PostgreSQL in `make test-all`."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench
from tests.security.world import World, two_tenants
from tests.support import bench
from tests.support.postgres import Postgres, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL."""
    if shutil.which("initdb") is None:
        pytest.skip("PostgreSQL's initdb is not on this machine")
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def workbench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Workbench]:
    """An opened workbench on a folder of its own; its queue is not looked after."""
    values = {}
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        values["database_url"] = server.create(f"security{time.monotonic_ns()}")
    with bench.opened(tmp_path / "bench", **values) as opened:
        # Passwords are checked as always, only faster: many sign in here.
        opened.accounts._hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
        opened.accounts._nobody = opened.accounts._hasher.hash("nobody at all")
        yield opened
        bench.end_all(opened)


@pytest.fixture
def world(workbench: Workbench, owner: Person, served: str) -> World:
    """Two tenants on a real server."""
    made = two_tenants(workbench, admin=owner)
    made.site = served
    return made
