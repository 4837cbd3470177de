"""Streams of answers: attacks 11, 25 and 63, and a server behind them that sends what nothing can keep."""

from __future__ import annotations

import time
from contextlib import ExitStack

import httpx
import pytest

from metier.specialists.spec import AnswerRules, ServerModel, Specialist
from tests.security.world import World
from tests.support.bench import wait_for
from tests.support.upstream import MODEL, upstream

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
    world.workbench.specialists.create(world.a, Specialist(name="adapter-of-a"))
    with world.client("b") as client:
        made: httpx.Response = client.post("/api/v1/assistant/chats", json={"specialist": "adapter-of-a"})
        assert made.status_code == 404
        assert "adapter-of-a" not in client.get("/assistant").text


def behind(address: str) -> Specialist:
    """A specialist that says what a server says."""
    rules = AnswerRules(cite=False, abstain=False, quote="never")
    return Specialist(name="served", server=ServerModel(address=address, model=MODEL), rules=rules)


def test_attack_63_answers_from_a_server_that_never_ends_are_capped_for_each_account(world: World) -> None:
    world.workbench.assistants.writers.local = True
    with upstream(tokens=4000, pace=1) as running, world.client("b") as client:
        world.workbench.specialists.create(world.b, behind(running.address))

        def ask() -> tuple[str, int]:
            chat = client.post("/api/v1/assistant/chats", json={"specialist": "served"}).json()["id"]
            return chat, client.post(f"/api/v1/assistant/chats/{chat}/questions", json={"text": "?"}).status_code

        asked = [ask() for _ in range(20)]
        assert [status for _, status in asked] == [201] * 16 + [429] * 4
        with world.client("a") as other:
            chat = other.post("/api/v1/assistant/chats", json={"specialist": "medical"}).json()["id"]
            answer = other.post(f"/api/v1/assistant/chats/{chat}/questions", json={"text": "?"})
            assert answer.status_code == 201
        client.post(f"/api/v1/assistant/chats/{asked[0][0]}/stop").raise_for_status()
        wait_for(lambda: ask()[1] == 201, 10)


@pytest.mark.parametrize("how", ["key", "account"])
def test_attack_11_a_stream_ends_with_the_key_that_began_it(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("metier.gateway.replying._CHECK_SECONDS", 0.3)  # 20 seconds
    world.workbench.assistants.writers.local = True
    row, key = world.workbench.accounts.create_key(world.b, "program")
    with upstream(tokens=4000, pace=20) as running:
        world.workbench.specialists.create(world.b, behind(running.address))
        body = {"model": "served", "messages": [{"role": "user", "content": "?"}], "stream": True, "max_tokens": 4000}
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.stream("POST", f"{world.site}/v1/chat/completions", json=body, headers=headers) as answer:
            lines = answer.iter_lines()
            assert any("word3" in line for line in lines)
            if how == "key":
                world.workbench.accounts.revoke_key(world.b, row.id)
            else:
                admin = world.workbench.accounts.person_of_token(
                    world.workbench.accounts.sign_in("li", "a good long password")
                )
                world.workbench.accounts.set_user(admin, world.b.id, state="closed")
            left = time.monotonic()
            last = [line for line in lines if line][-1]
        assert time.monotonic() - left < 5
        assert "invalid_api_key" in last
        wait_for(lambda: running.open == 0, 2)


def test_attack_65_halves_of_characters_and_zero_bytes_from_a_server_spoil_no_conversation(world: World) -> None:
    odd = ("well ", "\ud83d", "\0", "\ud83d\ude00", "\udc00 said ")
    world.workbench.assistants.writers.local = True
    with upstream(tokens=25, words=lambda index: f"{odd[index % 5]}{index}") as running, world.client("a") as client:
        world.workbench.specialists.create(world.a, behind(running.address))
        made = client.post("/api/v1/assistant/chats", json={"specialist": "served", "bare": True}).json()
        address = f"/api/v1/assistant/chats/{made['id']}"
        client.post(f"{address}/questions", json={"text": "Well?"}).raise_for_status()

        def ended() -> list[dict[str, str]]:
            turns = client.get(address).raise_for_status().json()["turns"]
            return turns if all(turn["state"] != "writing" for turn in turns) else []

        for turn in wait_for(ended)[1:]:
            assert turn["state"] == "whole"
            assert "well" in turn["text"] and "\U0001f600" in turn["text"]
        assert client.get(f"/assistant/{made['id']}").status_code == 200
