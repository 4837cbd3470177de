"""Connections to addresses that a user names: checked by their looks, and again where they really lead.

A name may resolve to this machine or its network, to several addresses of which one does, or to another one the second
time (rebinding). So names are resolved once, here, every address is looked at, and the connection goes to an address
that was looked at. Redirects are not followed, proxies of the environment not used, and whoever reads counts bytes.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpcore

from metier.core.addresses import is_of_here, is_public
from metier.core.errors import ConfigError, ModelError

LONGEST = 500


def check_address(address: str, *, local: bool) -> SplitResult:
    """An http(s) address, taken apart. local: whether this machine and its network may be named.

    Raises ConfigError for other schemes, user names in it, and what different readers would read differently.
    """
    text = address.strip()
    if not text or len(text) > LONGEST or not text.isprintable() or any(mark in text for mark in "\\ <>\"'`"):
        raise ConfigError("engines.bad_address", key="address", address=text[:LONGEST])
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError as error:
        raise ConfigError("engines.bad_address", key="address", address=text) from error
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError("engines.bad_address", key="address", address=text)
    if not local and is_of_here(host):
        raise ConfigError("engines.local_address", key="address", host=host)
    return parts


class CheckedNetwork(httpcore.AnyIOBackend):
    """Opens connections for httpcore. local: whether they may lead to this machine and its network."""

    def __init__(self, *, local: bool) -> None:
        super().__init__()
        self.local = local

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolves the name, looks at every address, and connects to the first that answers.

        Raises ModelError where one of them is not of the wide world, httpcore.ConnectError where none answers.
        """
        addresses = await self._resolve(host, port)
        if not self.local and not all(is_public(address) for address in addresses):
            raise ModelError("engines.leads_here", host=host)
        for address in addresses:
            try:
                return await super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last

    async def _resolve(self, host: str, port: int) -> list[str]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return list(dict.fromkeys(str(one[4][0]) for one in found))
