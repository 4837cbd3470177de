"""Addresses of servers that a user names: attacks 49 to 52."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from metier.core.errors import ConfigError, MetierError, ModelError
from metier.data.messages import message
from metier.engines.chatmodel import Request, Turn
from metier.engines.opening import open_chat_model
from metier.engines.safefetch import CheckedNetwork
from metier.engines.server import ServerChatModel
from metier.specialists.spec import ServerModel, Specialist
from tests.support.upstream import upstream

HELLO = Request((Turn(message("user", "Hello")),))
OF_HERE = [
    "http://127.0.0.1:8000/v1",
    "http://localhost/v1",
    "http://models.localhost./v1",
    "http://[::1]/v1",
    "http://[::ffff:127.0.0.1]/v1",
    "http://[64:ff9b::7f00:1]/v1",
    "http://169.254.169.254/latest",
    "http://10.1.2.3/v1",
    "http://192.168.0.1/v1",
    "http://0.0.0.0/v1",
    "http://2130706433/v1",
    "http://0x7f.1/v1",
    "http://0177.0.0.1/v1",
    "http://metadata.google.internal/v1",
]
ODD = [
    "http://evil@127.0.0.1/v1",
    "http://127.0.0.1\\@ok.com/v1",
    "file:///etc/passwd",
    "gopher://example.com/",
    "\\\\host\\share",
    "//example.com/v1",
    "http://",
    "http://example.com/v1?x=http://b",
    "http://example.com/v1#@b",
    "http://exa mple.com/v1",
    "http://example.com:99999/v1",
    "http://example.com/\r\nHost: b",
    "javascript:alert(1)",
    "",
]


def ask(model: ServerChatModel) -> Any:
    async def gather() -> Any:
        return [delta async for delta in model.stream(HELLO)]

    return asyncio.run(gather())


@pytest.mark.parametrize("address", OF_HERE)
def test_attack_49_an_address_of_here_is_refused(address: str) -> None:
    with pytest.raises(ConfigError) as raised:
        ServerChatModel(address)
    assert raised.value.key == "engines.local_address"
    ServerChatModel(address, local=True)


@pytest.mark.parametrize("address", ODD)
def test_attack_49_what_readers_would_read_differently_is_refused_by_all(address: str) -> None:
    for local in (False, True):
        with pytest.raises(ConfigError):
            ServerChatModel(address, local=local)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Every look-up gets the next answer; what was looked up is listed."""
    asked: list[str] = []
    waiting = list(answers)

    async def resolve(_self: Any, host: str, port: int, **_more: Any) -> Any:
        asked.append(host)
        found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", resolve)
    return asked


def test_attack_50_a_name_that_leads_here_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["127.0.0.1"])
    with upstream() as running:
        with pytest.raises(ModelError) as raised:
            ask(ServerChatModel(f"http://models.example.com:{running.port}"))
        assert raised.value.key == "engines.leads_here"
        assert running.heads == []


def test_attack_50_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(ModelError, match="leads to this machine"):
        ask(ServerChatModel("http://models.example.com"))


def test_attack_50_what_was_looked_at_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    connected: list[str] = []

    async def connect(_self: Any, host: str, *_more: Any, **_named: Any) -> Any:
        connected.append(host)
        raise OSError("not today")

    monkeypatch.setattr("httpcore.AnyIOBackend.connect_tcp", connect)
    with pytest.raises(OSError, match="not today"):
        asyncio.run(CheckedNetwork(local=False).connect_tcp("models.example.com", 80))
    assert (asked, connected) == (["models.example.com"], ["93.184.216.34"])


def test_attack_50_a_redirect_is_not_followed() -> None:
    with upstream() as inner, upstream(status=302, headers=(f"Location: {inner.address}",)) as outer:
        with pytest.raises(ModelError) as raised:
            ask(ServerChatModel(outer.address, model="paced", local=True))
        assert raised.value.key == "engines.server_redirects"
        assert inner.heads == []


def test_attack_51_a_key_goes_only_where_its_owner_put_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "METIER_API_KEY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "sk-of-the-server")
    with upstream(tokens=1) as running:
        server = ServerModel(address=running.address)
        model = open_chat_model(Specialist(name="one", server=server), keys={}, local=True)
        ask(model)  # type: ignore[arg-type]
        assert "sk-of-the-server" not in "".join(running.heads)
        assert "authorization" not in "".join(running.heads).lower()
        with pytest.raises(ConfigError):
            named = ServerModel(address=running.address, api_key="OPENAI_API_KEY")
            open_chat_model(Specialist(name="one", server=named), keys={}, local=True)


@pytest.mark.parametrize(
    ("script", "key"),
    [
        ({"tokens": 1, "words": lambda _: "x" * 5_000_000}, "server_too_much"),
        ({"tokens": 10_000, "words": lambda _: "x" * 1000}, "server_too_much"),
        ({"headers": ("Content-Encoding: gzip",)}, "server_not_understood"),
        ({"status": 500, "error": "x" * 5_000_000}, "server_too_much"),
        ({"models": tuple({"id": f"m{n}" * 50} for n in range(30_000))}, "server_too_much"),
    ],
    ids=["line", "body", "gzip", "error", "models"],
)
def test_attack_52_more_than_an_answer_can_be_is_not_read(
    monkeypatch: pytest.MonkeyPatch, script: dict[str, Any], key: str
) -> None:
    monkeypatch.setattr("metier.engines.server._MOST_STREAM_BYTES", 6_000_000)
    with upstream(**script) as running, pytest.raises(MetierError) as raised:
        named = "" if "models" in script else "paced"
        model = ServerChatModel(running.address, model=named, context_length=100_000, local=True)
        asked = Request(HELLO.turns, HELLO.sampling.model_copy(update={"max_new_tokens": 10_000}))

        async def gather() -> Any:
            return [delta async for delta in model.stream(asked)]

        asyncio.run(gather())
    assert raised.value.key == f"engines.{key}"


def test_attack_52_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metier.engines.server._SILENT_SECONDS", 0.3)
    with upstream(tokens=5, pace=0.1) as running, pytest.raises(ModelError) as raised:
        ask(ServerChatModel(running.address, local=True))
    assert raised.value.key == "engines.server_broke_off"
