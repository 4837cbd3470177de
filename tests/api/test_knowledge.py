"""Knowledge bases over the API and their pages: files come in, are imported, found, opened and forgotten."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from metier.workbench.workbench import Workbench
from tests.support.bench import sign_up, wait_for
from tests.support.postgres import ON_BOTH

pytestmark = ON_BOTH

RULES = """House rules

1. The gate opens at seven in the morning.

2. Whoever works on a Sunday is paid double.
"""


def bring(client: TestClient, name: str, content: bytes, base: str = "rules") -> dict[str, Any]:
    """Sends a file and waits until it is imported; returns what became of it."""
    sent = client.post(f"/api/v1/knowledge/{base}/documents", params={"name": quote(name)}, content=content)
    assert sent.status_code == 202, sent.text

    def ended() -> dict[str, Any] | None:
        imports = client.get(f"/api/v1/knowledge/{base}/imports").json()
        one = next(one for one in imports if one["id"] == sent.json()["id"])
        return one if one["state"] in ("done", "failed") else None

    return dict(wait_for(ended, 30))


@pytest.fixture
def house(client: TestClient) -> TestClient:
    """Somebody with a knowledge base of one document."""
    sign_up(client)
    assert client.post("/api/v1/knowledge", json={"name": "rules"}).status_code == 201
    assert bring(client, "house.txt", RULES.encode())["result"] == "added"
    return client


def search(client: TestClient, text: str, **more: Any) -> list[dict[str, Any]]:
    found = client.post("/api/v1/knowledge/rules/search", json={"text": text, **more})
    assert found.status_code == 200, found.text
    return list(found.json())


@pytest.mark.slow
def test_a_file_is_imported_beside_the_server_found_opened_replaced_and_forgotten(house: TestClient) -> None:
    hit = search(house, "paid on a Sunday")[0]
    passage = hit["passage"]
    document = f"/api/v1/knowledge/rules/documents/{passage['document']}"
    words = house.get(f"{document}/text", params={"start": passage["start"], "end": passage["end"]}).json()["text"]
    assert words == passage["text"]
    assert hit["reasons"]
    assert house.get(f"{document}/file").content == RULES.encode()
    assert house.get(f"{document}/pages/1/picture").status_code == 404  # a text has no picture
    assert bring(house, "house.txt", RULES.encode())["result"] == "same"
    assert bring(house, "house.txt", RULES.replace("double", "triple").encode())["result"] == "replaced"
    assert "triple" in search(house, "paid on a Sunday")[0]["passage"]["text"]
    assert house.get(document).status_code == 404
    assert house.get(f"/knowledge/rules/{passage['document']}", headers={"accept": "text/html"}).status_code == 404
    (entry,) = house.get("/api/v1/knowledge/rules").json()["entries"]
    assert house.delete(f"/api/v1/knowledge/rules/documents/{entry['id']}").status_code == 204
    assert search(house, "paid on a Sunday") == []


@pytest.mark.slow
def test_a_copy_is_named_by_what_was_found(house: TestClient) -> None:
    assert bring(house, "copy.txt", f"{RULES}\n".encode())["result"] == "added"
    (hit,) = [one for one in search(house, "paid on a Sunday") if "double" in one["passage"]["text"]]
    assert {hit["passage"]["file"], hit["copies"][0]["file"]} == {"house.txt", "copy.txt"}
    shown = house.get("/knowledge/rules?tab=search&q=paid+on+Sunday", headers={"accept": "text/html"}).text
    assert f"{hit['copies'][0]['document']}?passage={hit['copies'][0]['id']}#place" in shown


@pytest.mark.slow
def test_a_broken_file_says_why_and_can_be_cleared_away(house: TestClient) -> None:
    failed = bring(house, "broken.pdf", b"%PDF-1.4 and nothing more")
    assert failed["state"] == "failed"
    assert "broken.pdf" in failed["reason"]
    shown = house.get("/knowledge/rules", headers={"accept": "text/html"}).text
    assert failed["reason"] in shown
    assert "Documents loaded and indexed!" in shown
    assert house.delete("/api/v1/knowledge/rules/imports").status_code == 204
    assert house.get("/api/v1/knowledge/rules/imports").json() == []
    assert house.post("/api/v1/knowledge/rules/documents", params={"name": "x.txt"}, content=b"").status_code == 422


@pytest.mark.slow
def test_a_page_opens_a_passage_at_its_words_and_says_why_it_was_found(house: TestClient) -> None:
    as_page = {"accept": "text/html"}
    shown = house.get("/knowledge/rules?tab=search&q=paid+on+Sunday", headers=as_page).text
    assert "<mark>Sunday</mark>" in shown
    assert "BM25" in shown
    (link,) = re.findall(r'href="(/knowledge/rules/[0-9a-f]+\?passage=[0-9a-f]+)#place"', shown)[:1]
    opened = house.get(link, headers=as_page).text
    assert re.search(r'<mark id="place">[^<]*paid double', opened)
    gone = house.get(re.sub(r"passage=\w+", "passage=0123456789abcdef", link), headers=as_page)
    assert gone.status_code == 200
    assert "is not in this document" in gone.text
    assert house.get("/knowledge/rules?tab=search&q=x&on=yesterday", headers=as_page).status_code == 200


def test_a_base_is_made_once_for_a_key_and_named_once(client: TestClient) -> None:
    sign_up(client)
    once = {"Idempotency-Key": "one"}
    first = client.post("/api/v1/knowledge", json={"name": "rules"}, headers=once)
    assert client.post("/api/v1/knowledge", json={"name": "rules"}, headers=once).json() == first.json()
    assert client.post("/api/v1/knowledge", json={"name": "rules"}).status_code == 409
    assert client.post("/api/v1/knowledge", json={"name": "../rules"}).status_code == 422
    assert client.post("/api/v1/knowledge", json={"name": "more", "owner": "x"}).status_code == 422
    said = client.post("/knowledge", data={"name": "rules"}, headers={"accept": "text/html"})
    assert said.status_code == 422
    assert "already" in said.text


def test_what_an_owner_keeps_is_counted_with_everything_else(workbench: Workbench, client: TestClient) -> None:
    sign_up(client)
    workbench.quota.quota_bytes = 1000
    client.post("/api/v1/knowledge", json={"name": "rules"})
    answer = client.post("/api/v1/knowledge/rules/documents", params={"name": "a.txt"}, content=b"x" * 1001)
    assert answer.status_code == 413
