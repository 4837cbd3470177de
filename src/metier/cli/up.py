"""`metier up`: the workbench on this machine."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from metier.cli.app import write_line
from metier.core.errors import RunError
from metier.core.i18n import translate
from metier.core.logs import log_to_terminal

_DRAIN_SECONDS = 10
_OTHER_FILES = 44  # descriptors kept for the store, logs, jobs and a few that are on their way
_last_report = 0.0


def up(
    *,
    home: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8710,
    database_url: str | None = None,
    host_name: Annotated[list[str] | None, Parameter(negative=())] = None,
    trusted_proxy: Annotated[list[str] | None, Parameter(negative=())] = None,
    https: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Starts the workbench and prints its address; Ctrl-C or SIGTERM ends it, jobs go on. home: its data folder."""
    from metier.workbench.settings import default_settings

    settings = default_settings(
        folder=home,
        host=host,
        port=port,
        database_url=database_url,
        hosts=tuple(host_name or ()),
        trusted_proxies=tuple(trusted_proxy or ()),
        https=https,
    )
    log_to_terminal()
    listener = listen(settings.checked().host, settings.port)
    from metier.workbench.workbench import Workbench

    workbench = Workbench(replace(settings, port=listener.getsockname()[1]))
    try:
        return asyncio.run(_serve(workbench, listener))
    finally:
        listener.close()


def backup(file: Path, /, *, home: Path | None = None, database_url: str | None = None) -> None:
    """Writes everything of the workbench into one file, also while it runs."""
    from metier.workbench.backup import backup as write
    from metier.workbench.settings import default_settings

    counts: dict[str, Any] = write(default_settings(folder=home, database_url=database_url), file)
    write_line(translate("workbench.backed_up", file=file, **counts))


def restore(file: Path, /, *, home: Path | None = None, database_url: str | None = None) -> None:
    """Puts a backup into an empty data folder and database."""
    from metier.workbench.backup import restore as put_back
    from metier.workbench.settings import default_settings

    settings = default_settings(folder=home, database_url=database_url)
    counts: dict[str, Any] = put_back(file, settings)
    flags = f" --home {home}" if home is not None else ""
    flags += " --database_url …" if database_url is not None else ""  # it may hold a password
    write_line(translate("workbench.restored", folder=settings.folder, flags=flags, **counts))


async def _serve(workbench: Any, listener: socket.socket) -> int:
    import uvicorn

    from metier.web.app import build

    config = uvicorn.Config(
        build(workbench),
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=65_536,
        timeout_keep_alive=30,
        limit_concurrency=_connections(),
        backlog=128,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    server = uvicorn.Server(config)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_quietly_out_of_files)

    def drain() -> None:
        workbench.draining = True  # streams end themselves with a word, so that browsers come back later
        server.should_exit = True

    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain)
    if server.started:
        host, port = listener.getsockname()[:2]
        write_line(translate("cli.up_at", address=f"http://{f'[{host}]' if ':' in host else host}:{port}"))
    await serving
    return 0


def _connections() -> int:
    """How many connections are taken at once: more are told to come back, before file descriptors run out."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = hard if hard != resource.RLIM_INFINITY else max(soft, 65_536)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536), hard))
    return max(12, min(resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _OTHER_FILES, 10_000))


def _quietly_out_of_files(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """asyncio reports a refused connection two thousand times over; once a second is enough."""
    global _last_report
    if "out of system resource" in str(context.get("message", "")):
        if loop.time() - _last_report < 1:
            return
        _last_report = loop.time()
    loop.default_exception_handler(context)


def listen(host: str, port: int) -> socket.socket:
    """The socket, bound before anything else starts: a taken port is one line."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named in full: asyncio sends small answers at once (TCP_NODELAY) only where the protocol says TCP; else each waits
    # 40 ms for the client's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise RunError("workbench.port_taken", host=host, port=port) from error
    listener.set_inheritable(False)
    return listener
