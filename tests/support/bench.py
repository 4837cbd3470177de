"""A workbench for tests: opened on a folder of its own, reached by a client or a real browser."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from metier.workbench.accounts import Person
from metier.workbench.settings import WorkbenchSettings
from metier.workbench.store.tables import Job
from metier.workbench.workbench import Workbench

PASSWORD = "a good long password"


def settings(folder: Path, **values: Any) -> WorkbenchSettings:
    """Settings on a folder. Devices are one processor, whatever the machine has."""
    return WorkbenchSettings(**{"folder": folder, "devices": ("cpu",), **values})


@contextmanager
def opened(folder: Path, **values: Any) -> Iterator[Workbench]:
    """A workbench that is opened but does not look after its queue."""
    workbench = Workbench(settings(folder, **values))
    try:
        yield workbench
    finally:
        workbench.close()
        workbench.database.engine.dispose()  # a test may ask the rows again once its server has ended


def end_all(workbench: Workbench) -> None:
    """Ends what still runs: a test leaves no process behind, whatever became of it."""
    with workbench.database.read() as session:
        running = [job.process for job in session.query(Job).where(Job.state == "running")]
    for process in running:
        workbench.backend.stop(process, now=True)


@contextmanager
def client_of(workbench: Workbench) -> Iterator[TestClient]:
    """A client of the whole application, nobody signed in; the queue is looked after."""
    from metier.web.app import build

    with TestClient(build(workbench), base_url="http://localhost", follow_redirects=False) as client:
        yield client


def sign_up(client: TestClient, name: str = "li", *, invitation: str = "") -> dict[str, Any]:
    """Signs up and in, over the API."""
    body = {"name": name, "password": PASSWORD, "invitation": invitation}
    answer = client.post("/api/v1/accounts", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def member(workbench: Workbench, admin: Person, name: str) -> Person:
    """A second account, invited by the first."""
    return workbench.accounts.sign_up(name, PASSWORD, invitation=workbench.accounts.invite(admin))


def wait_for(found: Any, seconds: float = 60.0) -> Any:
    """Calls `found` until it gives something true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.05)
    raise TimeoutError


@contextmanager
def serving(workbench: Workbench) -> Iterator[str]:
    """The application on a free port of this machine; gives its address."""
    import uvicorn

    from metier.web.app import build

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        build(workbench), http="h11", ws="none", log_level="error", proxy_headers=False, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        workbench.draining = True
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()
