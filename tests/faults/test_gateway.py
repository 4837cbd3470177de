"""Clients that leave, engines that hang: faults 36 and 37."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import psutil
import pytest

from tests.support.gateway import KEY, behind, gateway, in_process
from tests.support.upstream import upstream

BODY = b'{"model":"plain","messages":[{"role":"user","content":"Hello"}],"stream":true,"max_tokens":2000}'
ASKED = (
    f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n"
    f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
).encode() + BODY


async def leave_at_random(port: int, times: int, *, at_once: int = 10) -> None:
    """Asks and hangs up, at a random moment each time."""
    draw, places = random.Random(5), asyncio.Semaphore(at_once)

    async def once(seconds: float) -> None:
        async with places:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(ASKED)
            await asyncio.sleep(seconds)
            writer.transport.abort()

    await asyncio.gather(*(once(draw.uniform(0.0, 0.08)) for _ in range(times)))


def quiet(condition: object, seconds: float) -> bool:
    """Whether a condition comes about in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "times"),
    [
        ("server", 400),
        ("hf", 100),
        pytest.param("server", 1000, marks=pytest.mark.long),
        pytest.param("hf", 1000, marks=pytest.mark.long),
    ],
)
def test_fault_37_clients_that_leave_at_random_leave_nothing_behind(
    tmp_path: Path, talking_model: Path, kind: str, times: int
) -> None:
    with upstream(tokens=2000, pace=100) as running:
        offer = behind(running.address) if kind == "server" else in_process(talking_model)
        with gateway({"plain": offer}, tmp_path) as (address, catalogue):
            port = int(address.rsplit(":", 1)[1].removesuffix("/v1"))
            asyncio.run(leave_at_random(port, 40))
            before = psutil.Process().memory_info().rss
            asyncio.run(leave_at_random(port, times))
            assert quiet(lambda: running.open == 0, 2)
            place = next(iter(catalogue.shelf._places.values()))
            assert quiet(lambda: place.users == 0 and not getattr(place.model, "busy", False), 2)
            assert psutil.Process().memory_info().rss - before < 40_000_000


def test_fault_36_an_engine_that_hangs_is_an_answer_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    monkeypatch.setattr("metier.engines.server._SILENT_SECONDS", 0.5)
    with (
        upstream(tokens=5, pace=0.01) as running,
        gateway({"plain": behind(running.address)}, tmp_path) as (address, _),
    ):
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        begun = time.monotonic()
        whole = httpx.post(f"{address}/chat/completions", content=BODY.replace(b"true", b"false"), headers=headers)
        assert whole.status_code == 502
        assert whole.json()["error"]["type"] == "server_error"
        streamed = httpx.post(f"{address}/chat/completions", content=BODY, headers=headers)
        assert streamed.status_code == 502
        assert time.monotonic() - begun < 3
        assert httpx.get(f"{address}/models", headers=headers).status_code == 200


def test_fault_36_an_engine_that_dies_in_mid_stream_ends_it_with_an_error_event(tmp_path: Path) -> None:
    import httpx

    with (
        upstream(tokens=50, break_after=5) as running,
        gateway({"plain": behind(running.address)}, tmp_path) as (address, _),
    ):
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        answer = httpx.post(f"{address}/chat/completions", content=BODY, headers=headers)
    assert answer.status_code == 200
    events = answer.text.strip().split("\n\n")
    assert "word0" in events[1]
    assert '"type": "server_error"' in events[-1]
    assert "[DONE]" not in answer.text
