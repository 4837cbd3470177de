"""The specialists' pages: made, changed with a form, and taken back to an earlier version."""

from __future__ import annotations

from html import unescape

import pytest
from fastapi.testclient import TestClient

from metier.core.i18n import translate
from metier.specialists.tools import TOOLS
from tests.support.bench import sign_up


@pytest.fixture
def person(client: TestClient) -> TestClient:
    sign_up(client)
    return client


def form(**changed: str | list[str]) -> dict[str, str | list[str]]:
    """What a browser sends of an untouched form, but for what is changed."""
    return {
        "title.en": "Mine", "title.zh": "我的", "description.en": "", "description.zh": "", "examples": "",
        "model": "smollm2-135m", "system_prompt": "", "sampling.temperature": "0", "sampling.top_p": "0.9",
        "sampling.top_k": "40", "sampling.max_new_tokens": "512", "sampling.repetition_penalty": "1",
        "sampling.seed": "42", "enable_thinking": "", "server.address": "", "server.model": "", "server.api_key": "",
        "server.context_length": "8192", "retrieval.limit": "6", "retrieval.min_support": "0.15",
        "rules.cite": "on", "rules.abstain": "on", "rules.unsupported": "mark", "rules.quote": "auto",
        "rules.format.en": "", "rules.format.zh": "", "rules.disclaimer.en": "", "rules.disclaimer.zh": "",
        "urgent_words": "", "urgent_en": "", "urgent_zh": "", **changed,
    }  # fmt: skip


def test_a_specialist_is_made_changed_and_taken_back(person: TestClient) -> None:
    assert person.post("/specialists", data={"name": "my-trade"}).headers["location"] == "/specialists/my-trade"
    changed = form(system_prompt="Be brief.", examples="One?\nTwo?", tools=["search_documents"])
    changed |= {"urgent_words": "fire，flood", "urgent_en": "Leave.", "urgent_zh": "请离开。"}
    assert person.post("/specialists/my-trade", data=changed).status_code == 303
    kept = person.get("/api/v1/specialists/my-trade").json()
    assert kept["version"] == "v2"
    spec = kept["specialist"]
    assert (spec["system_prompt"], spec["examples"], spec["tools"]) == (
        "Be brief.",
        ["One?", "Two?"],
        ["search_documents"],
    )
    assert spec["rules"]["escalate"] == [{"when": ["fire", "flood"], "say": {"en": "Leave.", "zh": "请离开。"}}]
    assert "+system_prompt: Be brief." in person.get("/specialists/my-trade?tab=versions").text.replace("+ ", "+")
    person.post("/specialists/my-trade/restore", data={"version": "v1"})
    again = person.get("/api/v1/specialists/my-trade").json()
    assert (again["version"], again["specialist"]["system_prompt"]) == ("v3", "")


def test_a_wrong_value_is_said_and_what_was_typed_stays(person: TestClient) -> None:
    person.post("/specialists", data={"name": "my-trade"})
    answer = person.post("/specialists/my-trade", data=form(system_prompt="Kept words", **{"retrieval.limit": "900"}))
    assert answer.status_code == 422
    assert "retrieval.limit" in answer.text
    assert "Kept words" in answer.text
    assert person.get("/api/v1/specialists/my-trade").json()["version"] == "v1"


def test_an_unchanged_form_makes_no_version(person: TestClient) -> None:
    person.post("/specialists", data={"name": "my-trade"})
    person.post("/specialists/my-trade", data=form())
    person.post("/specialists/my-trade", data=form())
    assert [one["version"] for one in person.get("/api/v1/specialists/my-trade/versions").json()] == ["v2", "v1"]


def test_a_copy_of_a_shipped_one_begins_as_it_is(person: TestClient) -> None:
    person.post("/specialists", data={"name": "my-clinic", "like": "medical"})
    made = person.get("/api/v1/specialists/my-clinic").json()["specialist"]
    assert made["examples"] == person.get("/api/v1/specialists/medical").json()["specialist"]["examples"]


def test_another_model_of_which_nothing_is_known_is_refused(person: TestClient) -> None:
    person.post("/specialists", data={"name": "my-trade"})
    answer = person.post("/specialists/my-trade", data=form(model="/etc"))
    assert answer.status_code == 422
    assert "/etc" in answer.text


def test_tools_and_questions_to_begin_with_are_in_the_language_of_the_page(person: TestClient) -> None:
    for language, question, other in (
        ("zh", "国庆节加班给了调休", "Which base counts?"),
        ("en", "Which base counts?", "国庆节"),
    ):
        person.headers["Accept-Language"] = language
        page = person.get("/assistant?specialist=legal").text
        assert question in page and other not in page
        settings = person.get("/specialists/legal").text
        for name in TOOLS:
            assert translate(f"specialists.help_{name}", language=language)[:40] in unescape(settings)
    assert "has not been tuned yet" in person.get("/assistant?specialist=legal").text
