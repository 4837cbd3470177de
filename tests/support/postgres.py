"""A PostgreSQL of the tests' own: made, started on a socket and a free port, stopped, started again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
# For tests of an opened workbench: on PostgreSQL too, in `make test-all`; soon: in `make test` already.
ON_BOTH = pytest.mark.parametrize("database", BOTH)
ON_BOTH_SOON = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])


class Postgres:
    """A server in a folder. Root may not run one: then it runs as the user `postgres`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    @property
    def user(self) -> str:
        """Who connects."""
        return "metier"

    def url(self, database: str = "postgres") -> str:
        """The address of a database, as Métier takes it."""
        return f"postgresql+psycopg://{self.user}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-o", options, "-l", str(self.folder / "log"), "start"
        )

    def stop(self, mode: str = "immediate") -> None:
        """Stops it at once, as a crash would."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop", check=False)

    def create(self, database: str, *, like: str = "template1") -> str:
        """A new database, and its address. like: a database that it is a copy of; empty, if nothing is said."""
        import psycopg

        with psycopg.connect(
            f"host=127.0.0.1 port={self.port} user={self.user} dbname=postgres", autocommit=True
        ) as at:
            at.execute(f'CREATE DATABASE "{database}" TEMPLATE "{like}"')
        return self.url(database)

    def make(self) -> None:
        """Initialises the folder."""
        if self._as:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "-D", str(self.folder / "data"), "-U", self.user, "-A", "trust", "-E", "UTF8", "--no-sync")

    def _run(self, *command: str, check: bool = True) -> None:
        done = subprocess.run([*self._as, *command], capture_output=True, text=True, cwd=self.folder, timeout=120)
        if check and done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stderr or done.stdout}")


@contextmanager
def running() -> Iterator[Postgres]:
    """A started server, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="metier-postgres-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        server = Postgres(Path(name))
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
