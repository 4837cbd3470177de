"""Chats over the API: loading, asking, following, stopping, again and otherwise, with a real tiny model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from metier.workbench import devices
from metier.workbench.store.tables import Base, ChatTurn, Job, Lease
from metier.workbench.workbench import Workbench
from tests.faults.children import give_model
from tests.support.bench import client_of, member, opened, sign_up, wait_for

pytestmark = pytest.mark.slow

SAMPLING = {"temperature": 1.0, "max_new_tokens": 12, "seed": 1}
LONG = {"temperature": 0, "max_new_tokens": 9000, "seed": 1}


@pytest.fixture
def chatter(client: TestClient, talking_model: Path) -> TestClient:
    """A signed-in client; the store has a tiny model."""
    give_model(talking_model)
    sign_up(client)
    return client


def begin(client: TestClient, sampling: dict[str, Any] = SAMPLING, *, models: tuple[str, ...] = ("tiny",)) -> str:
    """A new chat's id."""
    made = client.post("/api/v1/chats", json={"models": list(models), "sampling": sampling})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def ask(client: TestClient, chat: str, text: str = "How are you?") -> list[dict[str, Any]]:
    """A question and its empty answers."""
    asked = client.post(f"/api/v1/chats/{chat}/questions", json={"text": text})
    assert asked.status_code == 201, asked.text
    return list(asked.json())


def follow(client: TestClient, chat: str) -> list[tuple[str, dict[str, Any]]]:
    """All messages until the answers have ended."""
    text = client.get(f"/api/v1/chats/{chat}/events").text
    blocks = [block.split("\n") for block in text.split("\n\n") if "event: " in block]
    return [(lines[0][7:], json.loads(lines[1][6:])) for lines in blocks]


def turns(client: TestClient, chat: str) -> list[dict[str, Any]]:
    return list(client.get(f"/api/v1/chats/{chat}").json()["turns"])


def test_a_question_is_answered_piece_by_piece_and_kept(chatter: TestClient, workbench: Workbench) -> None:
    chat = begin(chatter)
    question, answer = ask(chatter, chat)
    assert (question["role"], answer["state"]) == ("user", "writing")
    messages = follow(chatter, chat)
    assert [name for name, _ in messages if name != "piece"] == ["turns", "end", "done"]
    ended = dict(messages)["end"]
    assert (ended["state"], ended["tokens"], ended["title"]) == ("whole", 12, "tiny")
    assert "".join(value["text"] for name, value in messages if name == "piece") in ended["text"]
    assert [turn["text"] for turn in turns(chatter, chat)] == ["How are you?", ended["text"]]
    assert chatter.get(f"/api/v1/chats/{chat}").json()["title"] == "How are you?"
    state = chatter.get("/api/v1/chat/state").json()
    assert (state["state"], state["device"]) == ("ready", "cpu")
    assert chatter.get("/api/v1/devices").json()[0]["kind"] == "chat"
    assert chatter.post("/api/v1/chat/unload", json={}).json()["state"] == "none"
    assert chatter.get("/api/v1/devices").json()[0]["kind"] is None


def test_an_answer_is_stopped_at_once_and_stays_as_far_as_it_is(chatter: TestClient) -> None:
    chat = begin(chatter, LONG)
    ask(chatter, chat)
    wait_for(lambda: turns(chatter, chat)[1]["text"])
    assert chatter.post(f"/api/v1/chats/{chat}/questions", json={"text": "And?"}).status_code == 409
    assert chatter.post(f"/api/v1/chats/{chat}/stop").status_code == 204
    wait_for(lambda: turns(chatter, chat)[1]["state"] == "stopped", 2)
    assert turns(chatter, chat)[1]["text"]


def test_two_models_answer_side_by_side_and_questions_are_asked_anew(chatter: TestClient) -> None:
    chat = begin(chatter, models=("tiny", "tiny"))
    question, left, right = ask(chatter, chat)
    assert (left["side"], right["side"]) == ("left", "right")
    follow(chatter, chat)
    first = turns(chatter, chat)
    ask(chatter, chat, "More?")
    follow(chatter, chat)
    assert len(turns(chatter, chat)) == 6
    again = chatter.post(f"/api/v1/chats/{chat}/turns/{first[1]['id']}/regenerate", json={})
    assert again.status_code == 201, again.text
    follow(chatter, chat)
    second = turns(chatter, chat)
    assert len(second) == 3
    assert second[1]["text"] != first[1]["text"]  # another draw
    edited = chatter.put(f"/api/v1/chats/{chat}/questions/{question['id']}", json={"text": "Who are you?"})
    assert edited.status_code == 200, edited.text
    follow(chatter, chat)
    assert turns(chatter, chat)[0]["text"] == "Who are you?"


def test_chats_are_their_owners_alone(chatter: TestClient, workbench: Workbench) -> None:
    chat = begin(chatter)
    question, answer = ask(chatter, chat)
    follow(chatter, chat)
    key = workbench.accounts.sign_in_as(member(workbench, workbench.accounts.person_of_token(
        chatter.cookies["metier"]), "wang"), agent="")  # fmt: skip
    other = TestClient(chatter.app, base_url="http://localhost", cookies={"metier": key})
    at = f"/api/v1/chats/{chat}"
    tries = [
        ("GET", at, None), ("GET", f"{at}/events", None), ("DELETE", at, None), ("POST", f"{at}/stop", None),
        ("PATCH", at, {"title": "x"}), ("POST", f"{at}/questions", {"text": "x"}),
        ("PUT", f"{at}/questions/{question['id']}", {"text": "x"}),
        ("POST", f"{at}/turns/{answer['id']}/regenerate", {}),
        ("POST", "/api/v1/chat/unload", {"host": chatter.get("/api/v1/chat/state").json()["host"]}),
    ]  # fmt: skip
    for method, address, body in tries:
        assert other.request(method, address, json=body).status_code == 404, address
    assert other.get("/api/v1/chats").json()["chats"] == []
    refused = other.post("/api/v1/chat/load", json={"models": ["tiny"]})
    assert refused.status_code == 409
    assert "somebody else's chat" in refused.json()["detail"]


@pytest.mark.parametrize(
    "sampling",
    [
        {"temperature": -1}, {"temperature": 1e308}, {"top_p": 0}, {"top_k": 10**9}, {"max_new_tokens": 10**9},
        {"seed": 2**70}, {"repetition_penalty": 0}, {"best_of": 3},
    ],
)  # fmt: skip
def test_attack_60_sampling_out_of_bounds_is_refused(client: TestClient, sampling: dict[str, Any]) -> None:
    sign_up(client)
    assert client.post("/api/v1/chats", json={"sampling": sampling}).status_code == 422


@pytest.mark.parametrize("body", ['{"sampling": {"temperature": NaN}}', '{"system_prompt": "\\ud800"}'])
def test_attack_60_values_that_are_no_values_are_refused(client: TestClient, body: str) -> None:
    sign_up(client)
    answer = client.post("/api/v1/chats", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("model", ["../../etc", "/etc", "http://evil/model", "evil/repo", "run:0123456789abcdef", ""])
def test_attack_45_models_are_names_of_the_catalogue_or_own_runs(client: TestClient, model: str) -> None:
    sign_up(client)
    assert client.post("/api/v1/chats", json={"models": [model]}).status_code in (404, 422)
    assert client.post("/api/v1/chat/load", json={"models": [model]}).status_code in (404, 422)


def test_history_is_searched_renamed_and_removed(chatter: TestClient, workbench: Workbench) -> None:
    chat = begin(chatter)
    ask(chatter, chat, "Where does 100% of it go?")
    follow(chatter, chat)
    begin(chatter)

    def found(words: str) -> list[str]:
        return [one["id"] for one in chatter.get("/api/v1/chats", params={"search": words}).json()["chats"]]

    assert found("100%") == [chat]
    assert found("100_") == []
    assert chatter.patch(f"/api/v1/chats/{chat}", json={"title": "<b>它</b>"}).json()["title"] == "<b>它</b>"
    assert found("它") == [chat]
    page = chatter.get("/api/v1/chats", params={"limit": 1}).json()
    rest = chatter.get("/api/v1/chats", params={"limit": 1, "after": page["next"]}).json()
    assert {page["chats"][0]["id"]} | {rest["chats"][0]["id"]} == set(found(""))
    assert chatter.delete(f"/api/v1/chats/{chat}").status_code == 204
    with workbench.database.read() as session:
        assert session.scalars(select(ChatTurn)).all() == []


def test_a_removed_chat_and_a_removed_runs_title_are_nowhere(chatter: TestClient, workbench: Workbench) -> None:
    chat = begin(chatter)
    asked = chatter.post(
        f"/api/v1/chats/{chat}/questions", json={"text": "canary-4711 ?"}, headers={"Idempotency-Key": "k"}
    )
    follow(chatter, chat)
    owner = workbench.accounts.person_of_token(chatter.cookies["metier"])
    with workbench.database.write() as session:
        job = Job(owner_id=owner.id, kind="train", title="canary-4712", spec={"asked": {}, "work": {}}, state="done")
        session.add(job)
        session.flush()
        answer = session.get(ChatTurn, asked.json()[1]["id"])
        answer.details = {**answer.details, "model": f"run:{job.id}@step-000001", "title": job.title}
    assert chatter.delete(f"/api/v1/jobs/{job.id}").status_code == 204
    assert turns(chatter, chat)[1]["title"] == f"run:{job.id}@step-000001"
    assert chatter.delete(f"/api/v1/chats/{chat}").status_code == 204
    with workbench.database.read() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)):
                assert "canary" not in str(row), table.name
                assert table.name != "answered" or chat not in str(row)


def held_by_a_job(workbench: Workbench, owner_id: str) -> str:
    """A run that has the device, as the store knows it."""
    with workbench.database.write() as session:
        job = Job(owner_id=owner_id, kind="evaluate", title="Long <run>", spec={"asked": {}}, state="held")
        session.add(job)
        session.flush()
        devices.take(session, ["cpu"], 1, kind="job", holder=job.id, owner=owner_id)
        return job.id


def test_a_chat_waits_for_a_device_and_is_told_who_has_it(chatter: TestClient, workbench: Workbench) -> None:
    job = held_by_a_job(workbench, chatter.get("/api/v1/me").json()["id"])
    chat = begin(chatter)
    refused = chatter.post(f"/api/v1/chats/{chat}/questions", json={"text": "Hello?"})
    assert refused.status_code == 409
    assert "Long <run>" in refused.json()["detail"]
    assert turns(chatter, chat) == []
    waiting = chatter.post(f"/api/v1/chats/{chat}/questions", json={"text": "Hello?", "wait": True})
    assert waiting.status_code == 201
    state = chatter.get("/api/v1/chat/state").json()
    assert (state["state"], state["blocked"]["id"]) == ("waiting", job)
    with workbench.database.write() as session:
        devices.give_back(session, job)
    wait_for(lambda: turns(chatter, chat)[1]["state"] == "whole")


def test_a_model_that_nobody_talks_to_is_unloaded(chatter: TestClient, workbench: Workbench) -> None:
    assert chatter.put("/api/v1/chat/idle", json={"minutes": 1}).json() == {"minutes": 1}
    chatter.post("/api/v1/chat/load", json={"models": ["tiny"]})
    host = workbench.chats.hosts.of(workbench.accounts.person_of_token(chatter.cookies["metier"]))
    assert host is not None
    wait_for(lambda: host.state == "ready")
    host.since -= 61
    wait_for(lambda: chatter.get("/api/v1/chat/state").json()["state"] == "none")
    wait_for(lambda: chatter.get("/api/v1/devices").json()[0]["kind"] is None)


def test_what_a_killed_server_was_writing_is_kept_and_marked(tmp_path: Path) -> None:
    with opened(tmp_path / "again") as bench:
        owner = bench.accounts.sign_up("li", "a good long password")
        chat = bench.chats.create(owner, bench_setup())
        with bench.database.write() as session:
            of = {"owner_id": owner.id, "chat_id": chat.id, "role": "assistant", "side": "left"}
            session.add(ChatTurn(**of, place=1, text="Half a", state="writing"))
            session.add(Lease(device="cpu", holder_kind="chat", holder_id="gone", owner_id=owner.id))
    with opened(tmp_path / "again") as bench, client_of(bench) as client:
        client.post("/api/v1/session", json={"name": "li", "password": "a good long password"})
        (kept,) = turns(client, chat.id)
        assert (kept["text"], kept["state"], kept["cut"]) == ("Half a", "stopped", True)
        assert client.get("/api/v1/devices").json()[0]["kind"] is None


def bench_setup() -> Any:
    from metier.workbench.chatsetup import ChatSetup

    return ChatSetup()
