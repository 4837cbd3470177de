"""The workbench over OpenAI's protocol: each specialist under its name, for whose key it is and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from metier.specialists.spec import Specialist
from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench
from tests.support.bench import member
from tests.support.postgres import ON_BOTH_SOON
from tests.support.shelf import Shelf

pytestmark = ON_BOTH_SOON

QUESTION = "安排劳动者延长工作时间的工资报酬怎么算？"


@pytest.fixture
def key(client: TestClient, workbench: Workbench, owner: Person) -> str:
    """The key of somebody with a specialist whose answers are quotations."""
    workbench.specialists.create(owner, Specialist(name="labour", knowledge=("laws",)))
    workbench.assistants.bases = lambda _owner, _names: {"laws": Shelf()}
    workbench.chats.hosts.load = _no_device
    return workbench.accounts.create_key(owner, "program")[1]


def _no_device(*_given: Any, **_more: Any) -> Any:
    from metier.workbench.errors import ConflictError

    raise ConflictError("workbench.chat_no_device")


def asked(client: TestClient, key: str, model: str, **more: Any) -> Any:
    body = {"model": model, "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 1000, **more}
    return client.post("/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"})


def test_a_specialist_answers_under_its_name_with_citations(client: TestClient, key: str) -> None:
    answer = asked(client, key, "labour")
    assert answer.status_code == 200, answer.text
    message = answer.json()["choices"][0]["message"]
    cited = message["annotations"][0]["url_citation"]
    assert cited["quote"] in Shelf().passages[0].text
    assert "/knowledge/laws/d1?start=" in cited["url"]


def test_a_version_can_be_named(client: TestClient, key: str) -> None:
    assert asked(client, key, "labour@v1").status_code == 200
    assert asked(client, key, "labour@v9").status_code == 404


def test_streams_end_as_openai_clients_expect(client: TestClient, key: str) -> None:
    answer = asked(client, key, "labour", stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.rstrip().endswith("data: [DONE]")


def test_attack_25_anothers_specialist_is_neither_listed_nor_there(
    client: TestClient, workbench: Workbench, owner: Person, key: str
) -> None:
    other = workbench.accounts.create_key(member(workbench, owner, "b"), "b")[1]
    listed = client.get("/v1/models", headers={"Authorization": f"Bearer {other}"}).json()["data"]
    assert "labour" not in {one["id"] for one in listed}
    assert "legal" in {one["id"] for one in listed}
    refused = asked(client, other, "labour")
    assert refused.status_code == 404
    assert refused.json()["error"]["code"] == "model_not_found"


def test_without_a_key_nothing_is_told(client: TestClient, key: str) -> None:
    for given in ("", "mk-wrong"):
        answer = client.get("/v1/models", headers={"Authorization": f"Bearer {given}"} if given else {})
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"


def test_attack_51_a_server_gets_no_key_that_its_owner_has_not_put_there(
    workbench: Workbench, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "the operator's own")
    assert workbench.secrets.for_servers(owner) == {}
    workbench.secrets.put(owner, "MODEL_SERVER_KEY", "mine")
    workbench.secrets.put(owner, "HF_TOKEN", "not for servers")
    assert workbench.secrets.for_servers(owner) == {"MODEL_SERVER_KEY": "mine"}


def test_the_services_page_has_the_line_to_copy(client: TestClient, workbench: Workbench, owner: Person) -> None:
    client.cookies.set("metier", workbench.accounts.sign_in_as(owner))
    page = client.get("/services?name=medical").text
    assert "/v1/chat/completions" in page
    assert "&#34;model&#34;:&#34;medical&#34;" in page
