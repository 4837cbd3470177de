"""The installation that attacks are tried on: SQLite, and PostgreSQL in `make test-all`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench
from tests.security.world import World, two_tenants
from tests.support import bench
from tests.support.postgres import BOTH


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> str:
    """Every attack on an installation is tried on both."""
    return str(request.param)


@pytest.fixture
def workbench(tmp_path: Path, rows_in: dict[str, str]) -> Iterator[Workbench]:
    """An opened workbench on a folder of its own; its queue is not looked after."""
    with bench.opened(tmp_path / "bench", **rows_in) as opened:
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
