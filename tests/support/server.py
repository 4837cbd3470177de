"""A real `metier up` in a process of its own, to be signalled and killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
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
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        if found is None:
            _, error = self.process.communicate(timeout=30)
            raise RuntimeError(error)
        self.address = found[0]

    def client(self, name: str = "li") -> httpx.Client:
        """A client that is signed in; the account is made where there is none yet."""
        client = httpx.Client(base_url=self.address, timeout=30)
        credentials = {"name": name, "password": PASSWORD}
        if client.post("/api/v1/session", json=credentials).status_code == 401:
            made = client.post("/api/v1/accounts", json=credentials)
            made.raise_for_status()
        return client

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
        if server.process.poll() is None:
            server.kill()
        for stream in (server.process.stdout, server.process.stderr):
            if stream is not None:
                stream.close()
