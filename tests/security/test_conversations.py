"""Conversations with specialists: attack 24, what is removed is gone; 73, the server counts."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from metier.specialists.spec import AnswerRules, ServerModel, Specialist
from metier.workbench.writing import Writing
from tests.security.test_forgetting import remove, traces
from tests.security.world import World, give_knowledge
from tests.support.bench import wait_for
from tests.support.upstream import MODEL, upstream

WORD = "canary-of-talk-51be"
pytestmark = pytest.mark.slow


def serve(world: World, address: str, *knowledge: str) -> None:
    """A specialist of A's, over a server that is slow to speak."""
    world.workbench.assistants.writers.local = True
    rules = AnswerRules(cite=False, abstain=False, quote="never", ask_model=False)
    server = ServerModel(address=address, model=MODEL)
    specialist = Specialist(name="served", server=server, knowledge=knowledge, rules=rules)
    world.workbench.specialists.create(world.a, specialist)


def begin(client: httpx.Client, **setup: Any) -> str:
    made = client.post("/api/v1/assistant/chats", json={"specialist": "served", **setup})
    assert made.status_code == 201, made.text
    return f"assistant/chats/{made.json()['id']}"


def ask(client: httpx.Client, chat: str, text: str, key: str = "") -> None:
    headers = {"Idempotency-Key": key} if key else {}
    asked = client.post(f"/api/v1/{chat}/questions", json={"text": text}, headers=headers)
    assert asked.status_code == 201, asked.text


def turns(client: httpx.Client, chat: str) -> list[dict[str, Any]]:
    return list(client.get(f"/api/v1/{chat}").json()["turns"])


def ended(client: httpx.Client, chat: str, place: int) -> list[dict[str, Any]]:
    """The turns, once that many have ended."""

    def look() -> list[dict[str, Any]]:
        said = turns(client, chat)
        return said if len(said) >= place and all(one["state"] != "writing" for one in said) else []

    return list(wait_for(look, 20))


def test_attack_24_a_conversation_that_is_removed_while_it_is_answered_leaves_nothing(world: World) -> None:
    base, _, _ = give_knowledge(world.workbench, world.a, "rules", canary=WORD)
    with upstream(tokens=12, words=f"The {WORD} says so{{}} here.\n".format) as running, world.client("a") as client:
        serve(world, running.address, "rules")
        chat = begin(client, bare=True)
        ask(client, chat, f"What is the rule of {WORD}?", "one")
        first = ended(client, chat, 3)
        assert WORD in str(first[1]["answer"]["evidence"])
        vote = {"vote": "down", "words": WORD}
        client.put(f"/api/v1/{chat}/turns/{first[1]['id']}/feedback", json=vote).raise_for_status()
        client.patch(f"/api/v1/{chat}", json={"title": f"{WORD} again"}).raise_for_status()
        running.script.pace = 20
        running.script.tokens = 400
        ask(client, chat, f"And what is {WORD}?", "two")
        wait_for(lambda: all(WORD in one["text"] for one in turns(client, chat)[-2:]), 20)
        remove(client, chat)
        wait_for(lambda: running.open == 0, 5)
        assert client.get(f"/api/v1/{chat}").status_code == 404
        assert client.get(f"/{chat.replace('/chats', '')}").status_code == 404
        assert WORD not in client.get("/api/v1/assistant/chats", params={"search": WORD}).text
        remove(client, "specialists/served")
        remove(client, f"knowledge/{base}")
    assert traces(world.workbench, WORD) == []


def test_attack_24_a_document_that_was_removed_is_cited_no_more_in_a_conversation_that_cited_it(world: World) -> None:
    base, document, _ = give_knowledge(world.workbench, world.a, "rules", canary=WORD)
    with upstream(tokens=3) as running, world.client("a") as client:
        serve(world, running.address, "rules")
        chat = begin(client)
        ask(client, chat, f"What is the rule of {WORD}?")
        assert any(one["kind"] == "passage" for one in ended(client, chat, 2)[1]["answer"]["evidence"])
        remove(client, f"knowledge/{base}/documents/{document}")
        ask(client, chat, f"What is the rule of {WORD}?")
        again = ended(client, chat, 4)[3]["answer"]
        assert not any(one["kind"] == "passage" for one in again["evidence"])
        said = str([turn for turn in running.asked[-1]["messages"] if turn["role"] == "system"])
        assert WORD not in said


def test_attack_73_what_a_stopped_answer_has_cost_is_counted_here(world: World) -> None:
    with upstream(tokens=4000, pace=40, words="word{}. ".format) as running, world.client("a") as client:
        serve(world, running.address)
        chat = begin(client, bare=True)
        for forged in ({"tokens": 0}, {"usage": {"completion_tokens": 0}}, {"details": {"tokens": 0}}):
            refused = client.post(f"/api/v1/{chat}/questions", json={"text": "?", **forged})
            assert refused.status_code == 422
        ask(client, chat, "Say a lot.")
        wait_for(lambda: all(len(one["text"].split()) > 20 for one in turns(client, chat)[1:]), 20)
        client.post(f"/api/v1/{chat}/stop").raise_for_status()
        for answer in ended(client, chat, 3)[1:]:
            words = len(answer["text"].split())
            assert answer["state"] == "stopped"
            assert words <= answer["tokens"] <= 8 * words
            assert answer["prompt_tokens"] > 0
            forged = {"vote": "up", "words": "", "tokens": 0}
            address = f"/api/v1/{chat}/turns/{answer['id']}/feedback"
            assert client.put(address, json=forged).status_code == 422
        wait_for(lambda: running.open == 0, 5)


def test_attack_24_a_stopped_writing_that_was_forgotten_saves_nothing(world: World) -> None:
    chat = world.things["assistant chat_id"]
    one = Writing("gone", chat, world.a.id, lambda: None, {}, text=WORD)
    world.workbench.assistants.writings.begin(one)
    world.workbench.assistants.remove(world.a, chat)
    world.workbench.assistants.writings.end(one, "stopped")
    assert traces(world.workbench, WORD) == []
