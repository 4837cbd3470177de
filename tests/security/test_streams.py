"""Attack 63: one account cannot hold the server's streams."""

from __future__ import annotations

from contextlib import ExitStack

import httpx
import pytest

from tests.security.world import World

pytestmark = pytest.mark.slow


def test_attack_63_streams_are_capped_for_each_account_and_freed_when_their_reader_goes(world: World) -> None:
    from metier.workbench.store.tables import ChatTurn

    talk = world.things["assistant chat_id"]
    with world.workbench.database.write() as session:  # something that goes on being written
        session.add(ChatTurn(owner_id=world.a.id, chat_id=talk, place=3, role="assistant", text="", state="writing"))
    world.workbench.streams.most = 4
    address = f"/api/v1/assistant/chats/{talk}/events"
    with world.client("a") as client:
        with ExitStack() as held:
            for _ in range(4):
                assert held.enter_context(client.stream("GET", address)).status_code == 200
            refused = client.get(address)
            assert refused.status_code == 429
            assert refused.headers["retry-after"]
            with world.client("b") as other:  # another account has its own
                assert other.get("/api/v1/assistant/chats").status_code == 200
        for _ in range(100):
            with client.stream("GET", address) as again:
                if again.status_code == 200:
                    return
        raise AssertionError("streams whose reader is gone still count")


def test_attack_25_anothers_specialist_is_not_there(world: World) -> None:
    from metier.specialists.spec import Specialist

    world.workbench.specialists.create(world.a, Specialist(name="adapter-of-a"))
    with world.client("b") as client:
        made: httpx.Response = client.post("/api/v1/assistant/chats", json={"specialist": "adapter-of-a"})
        assert made.status_code == 404
        assert "adapter-of-a" not in client.get("/assistant").text
