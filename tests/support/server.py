"""A real `metier up` in a process of its own, to be signalled and killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.bench import PASSWORD


class Server:
    """A server process. folder: its data; address: where it answers."""

    def __init__(self, folder: Path, *flags: str, before: str = "", port: int = 0, **environment: str) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "metier.cli", "up", "--home", str(folder), "--port", str(port), *flags]
        if before:
            command = ["bash", "-c", f'{before}; exec "$@"', "bash", *command]
        # A file, not a pipe: a log that nobody reads must not hold the server up.
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed in `close`
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        if found is None:
            self.process.wait(timeout=30)
            raise RuntimeError(self.log)
        self.address = found[0]

    def client(self, name: str = "li") -> httpx.Client:
        """A client that is signed in; the account is made where there is none yet."""
        client = httpx.Client(base_url=self.address, timeout=30)
        credentials = {"name": name, "password": PASSWORD}
        if client.post("/api/v1/session", json=credentials).status_code == 401:
            made = client.post("/api/v1/accounts", json=credentials)
            made.raise_for_status()
        return client

    @property
    def log(self) -> str:
        """What it has written to its terminal's second stream."""
        self._log.seek(0)
        return self._log.read()

    def close(self) -> None:
        """Ends it, if it still runs, and lets its files go."""
        if self.process.poll() is None:
            self.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._log.close()

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(timeout=20)

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@contextmanager
def started(folder: Path, *flags: str, before: str = "", port: int = 0, **environment: str) -> Iterator[Server]:
    """A started server, gone at the end. port: one that a killed server had, else one that is free."""
    server = Server(folder, *flags, before=before, port=port, **environment)
    try:
        yield server
    finally:
        server.close()
