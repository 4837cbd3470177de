"""A gateway on a real port, in a thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from metier.cli.up import listen
from metier.gateway.app import create_app
from metier.gateway.bounds import Limits
from metier.gateway.local import LocalCatalogue, Offer
from metier.knowledge.library import Library
from metier.specialists.spec import ServerModel, Specialist

KEY = "sk-test-0123456789abcdef"


def behind(address: str, *, model: str = "", **more: Any) -> Offer:
    """A plain model behind a server."""
    return Offer(Specialist(name="model", server=ServerModel(address=address, model=model), **more), plain=True)


def in_process(model: Path, **more: Any) -> Offer:
    """A plain model of a folder."""
    return Offer(Specialist(name="model", model_name_or_path=str(model), **more), plain=True)


@contextmanager
def gateway(
    offers: Mapping[str, Offer], home: Path, *, limits: Limits | None = None, **more: Any
) -> Iterator[tuple[str, LocalCatalogue]]:
    """Its address (`http://…/v1`) and catalogue."""
    import uvicorn

    catalogue = LocalCatalogue(offers, KEY, library=Library(home / "knowledge"), keys={}, **more)
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(create_app(catalogue, limits), log_config=None, ws="none", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", catalogue
    finally:
        server.should_exit = True
        thread.join(15)
        listener.close()
