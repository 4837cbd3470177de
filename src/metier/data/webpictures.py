"""Pictures on the web: fetched only where whoever runs this machine allows it, once, and only from the wide world.

A name may resolve to this machine or its network, or to another address the second time. So it is resolved once, every
address is looked at, and the connection goes to one that was looked at. Redirects are not followed, the environment's
proxies not used, bytes and seconds counted.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpcore

from metier.core.addresses import is_of_here, is_public
from metier.core.errors import DataError
from metier.core.files import sha256_text, write_bytes
from metier.core.settings import settings
from metier.data.pictures import MOST_BYTES

_LONGEST = 2000
_CONNECT_SECONDS, _WHOLE_SECONDS = 10.0, 60.0


def fetched_picture(url: str) -> Path:
    """The file of a picture on the web, fetched the first time. Raises DataError: not allowed, not there, not safe."""
    if not settings().fetch_pictures:
        raise DataError("data.picture_remote", picture=url[:_LONGEST])
    file = settings().datasets / "fetched" / sha256_text(url)
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(file, _fetch(url))
    return file


def _fetch(url: str) -> bytes:
    parts = urlsplit(url)
    try:
        host = parts.hostname or ""
        unusual = "@" in parts.netloc or "\\" in url or not url.isprintable() or len(url) > _LONGEST
        if parts.scheme not in ("http", "https") or not host or unusual or is_of_here(host) or parts.port == 0:
            raise DataError("data.picture_address", picture=url[:_LONGEST])
        with httpcore.ConnectionPool(network_backend=_Checked(), retries=0) as pool:
            return _read(pool, url)
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError, ValueError) as error:
        problem = str(error)[:200] or type(error).__name__
        raise DataError("data.picture_not_fetched", picture=url[:_LONGEST], problem=problem) from error


def _read(pool: httpcore.ConnectionPool, url: str) -> bytes:
    timeouts = {"connect": _CONNECT_SECONDS, "read": _CONNECT_SECONDS, "write": _CONNECT_SECONDS}
    end = time.monotonic() + _WHOLE_SECONDS
    content = bytearray()
    with pool.stream("GET", url, headers={"Accept": "image/*"}, extensions={"timeout": timeouts}) as answer:
        if answer.status != 200:
            raise DataError("data.picture_not_fetched", picture=url, problem=answer.status)
        for block in answer.iter_stream():
            content += block
            if len(content) > MOST_BYTES:
                raise DataError("data.picture_bytes", picture=url, limit=MOST_BYTES >> 20)
            if time.monotonic() > end:
                raise DataError("data.picture_not_fetched", picture=url, problem=f"> {_WHOLE_SECONDS:.0f} s")
    return bytes(content)


class _Checked(httpcore.SyncBackend):
    """Opens connections to addresses of the wide world alone."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Resolves the name, looks at every address, and connects to the first. Raises DataError."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if not addresses or not all(is_public(address) for address in addresses):
            raise DataError("data.picture_address", picture=host)
        return super().connect_tcp(addresses[0], port, timeout, local_address, socket_options)
