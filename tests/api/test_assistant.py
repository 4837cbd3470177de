"""The assistant over its API: questions answered with evidence that stays, and what is somebody else's is not there."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from metier.specialists.spec import ServerModel, Specialist
from metier.workbench.workbench import Workbench
from tests.support.bench import sign_up
from tests.support.postgres import ON_BOTH
from tests.support.shelf import ARTICLES, Shelf
from tests.support.upstream import MODEL, upstream

pytestmark = ON_BOTH

QUESTION = "安排劳动者延长工作时间的工资报酬怎么算？"


def answered(client: TestClient, chat: str, place: int = 1) -> dict[str, Any]:
    """The answer at a place, once it has ended."""
    for _ in range(200):
        turns = client.get(f"/api/v1/assistant/chats/{chat}").json()["turns"]
        if len(turns) > place and turns[place]["state"] != "writing":
            return dict(turns[place])
        time.sleep(0.05)
    raise AssertionError("no answer came")


@pytest.fixture
def lawyer(client: TestClient, workbench: Workbench) -> TestClient:
    """Somebody with a specialist and its documents."""
    sign_up(client)
    person = workbench.accounts.person_of_token(client.cookies["metier"])
    assert person is not None
    workbench.specialists.create(person, Specialist(name="labour", knowledge=("laws",)))
    workbench.assistants.bases = lambda owner, names: {"laws": Shelf()} if owner.id == person.id else {}
    return client


def begin(client: TestClient, **setup: Any) -> str:
    made = client.post("/api/v1/assistant/chats", json={"specialist": "labour", **setup})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def test_without_a_model_the_best_passages_are_quoted_with_their_source(lawyer: TestClient) -> None:
    chat = begin(lawyer)
    asked = lawyer.post(f"/api/v1/assistant/chats/{chat}/questions", json={"text": QUESTION})
    assert [turn["role"] for turn in asked.json()] == ["user", "assistant"]
    answer = answered(lawyer, chat)["answer"]
    assert answer["mode"] == "quoted"
    assert answer["version"] == "v1"
    cited = answer["citations"][0]
    evidence = next(one for one in answer["evidence"] if one["number"] == cited["number"])
    assert evidence["text"][cited["quote_start"] : cited["quote_end"]] in ARTICLES["第三条"]
    assert answer["text"][cited["start"] : cited["end"]] == f"[{cited['number']}]"


def test_an_answer_speaks_the_language_of_its_question_whatever_that_of_the_page(lawyer: TestClient) -> None:
    lawyer.headers["Accept-Language"] = "en"
    chat = begin(lawyer)
    lawyer.post(f"/api/v1/assistant/chats/{chat}/questions", json={"text": "火星上的殖民公司怎么纳税？"})
    text = answered(lawyer, chat)["answer"]["text"]
    assert "文档中没有" in text and "documents" not in text


def test_evidence_stays_as_it_was_when_the_documents_change(lawyer: TestClient, workbench: Workbench) -> None:
    chat = begin(lawyer)
    lawyer.post(f"/api/v1/assistant/chats/{chat}/questions", json={"text": QUESTION})
    turn = answered(lawyer, chat)
    workbench.assistants.bases = lambda _owner, _names: {"laws": Shelf({"第一条": "第一条 完全不同。"})}
    page = lawyer.get(f"/assistant/{chat}/turns/{turn['id']}/evidence/1")
    assert "<mark>" in page.text
    assert "百分之一百五十" in page.text


def test_the_page_shows_chips_that_open_the_words(lawyer: TestClient) -> None:
    chat = begin(lawyer)
    lawyer.post(f"/api/v1/assistant/chats/{chat}/questions", json={"text": QUESTION})
    answered(lawyer, chat)
    page = lawyer.get(f"/assistant/{chat}").text
    assert 'class="cite cite-passage" href="/knowledge/laws/d1?start=' in page


def test_nothing_in_the_documents_is_said_plainly(lawyer: TestClient) -> None:
    chat = begin(lawyer)
    lawyer.post(f"/api/v1/assistant/chats/{chat}/questions", json={"text": "How do I bake bread?"})
    assert answered(lawyer, chat)["answer"]["mode"] == "abstained"


def test_feedback_is_kept_with_the_answer(lawyer: TestClient) -> None:
    chat = begin(lawyer)
    lawyer.post(f"/api/v1/assistant/chats/{chat}/questions", json={"text": QUESTION})
    turn = answered(lawyer, chat)
    address = f"/api/v1/assistant/chats/{chat}/turns/{turn['id']}/feedback"
    assert lawyer.put(address, json={"vote": "down", "words": "No figure."}).status_code == 200
    kept = answered(lawyer, chat)["feedback"]
    assert (kept["vote"], kept["words"]) == ("down", "No figure.")
    assert lawyer.put(address, json={"vote": "sideways"}).status_code == 422


def test_the_bare_model_beside_it_says_that_it_is_not_loaded(lawyer: TestClient) -> None:
    chat = begin(lawyer, bare=True)
    lawyer.post(f"/api/v1/assistant/chats/{chat}/questions", json={"text": QUESTION})
    left, right = answered(lawyer, chat), answered(lawyer, chat, 2)
    assert left["answer"]["mode"] == "quoted"
    assert "not loaded" in right["reason"]


def test_a_bare_model_that_goes_in_circles_is_stopped(lawyer: TestClient, workbench: Workbench) -> None:
    person = workbench.accounts.person_of_token(lawyer.cookies["metier"])
    assert person is not None
    workbench.assistants.writers.local = True
    with upstream(tokens=3000, pace=600, words=lambda token: "the same again. ") as server:
        model = ServerModel(address=server.address, model=MODEL)
        workbench.specialists.create(person, Specialist(name="served", server=model))
        chat = begin(lawyer, specialist="served", bare=True)
        lawyer.post(f"/api/v1/assistant/chats/{chat}/questions", json={"text": QUESTION})
        turn = answered(lawyer, chat, 2)
    assert (turn["state"], turn["text"].count("the same again.")) == ("whole", 4)
    assert any("was stopped" in one for one in turn["notices"])
    assert server.cut


def test_conversations_of_the_two_kinds_are_apart(lawyer: TestClient) -> None:
    chat = begin(lawyer)
    assert lawyer.get(f"/api/v1/chats/{chat}").status_code == 404
    assert lawyer.get("/api/v1/chats").json()["chats"] == []
    assert [one["id"] for one in lawyer.get("/api/v1/assistant/chats").json()["chats"]] == [chat]


def test_the_stream_tells_what_was_found_and_ends(lawyer: TestClient) -> None:
    chat = begin(lawyer)
    lawyer.post(f"/api/v1/assistant/chats/{chat}/questions", json={"text": QUESTION})
    events = lawyer.get(f"/api/v1/assistant/chats/{chat}/events").text
    assert events.rstrip().endswith("event: done\ndata: {}")
