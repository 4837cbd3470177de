"""Attacks on knowledge bases: other people's documents, names that are paths, markup and hidden words in documents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from metier.knowledge.adding import shown_name
from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench
from tests.support.bench import PASSWORD, client_of, member

INJECTIONS = ("owner' OR 1=1 --", "' OR owner != '", "%' OR '1'='1", "$where", "owner.__class__", "x'; DROP TABLE x")
PAYLOAD = "<script>alert(1)</script><img src=x onerror=alert(1)>[x](javascript:alert(1))"


@pytest.fixture
def two(workbench: Workbench, owner: Person) -> Iterator[tuple[TestClient, str]]:
    """B's client, and the id of A's base, where both have one of the same name."""
    b = member(workbench, owner, "b")
    base = workbench.knowledge.create(owner, "rules")
    base.add([("secret.txt", b"The treasure of anna lies below the oak.")])
    workbench.knowledge.create(b, "rules").add([("mine.txt", b"The oak of bela is green.")])
    with client_of(workbench) as client:
        assert client.post("/api/v1/session", json={"name": "b", "password": PASSWORD}).status_code == 200
        yield client, base.id


def test_attack_22_a_search_gives_only_ones_own_passages(two: tuple[TestClient, str]) -> None:
    client, others = two
    (hit,) = client.post("/api/v1/knowledge/rules/search", json={"text": "treasure oak"}).json()
    assert hit["passage"]["file"] == "mine.txt"
    assert client.post(f"/api/v1/knowledge/{others}/search", json={"text": "oak"}).status_code == 404
    for words in INJECTIONS:
        assert client.post(f"/api/v1/knowledge/{quote(words, safe='')}/search", json={"text": "oak"}).status_code == 404
        for asked in ({"article": words}, {"titles": [words]}):
            found = client.post("/api/v1/knowledge/rules/search", json={"text": f"treasure oak {words}", **asked})
            assert found.json() == [], asked
        named = client.post("/api/v1/knowledge/rules/search", json={"text": "oak", "documents": [words]})
        assert named.status_code == 404
        unknown = client.post("/api/v1/knowledge/rules/search", json={"text": "oak", words: "x"})
        assert unknown.status_code == 422
    for key in ("owner", "where", "filter", "owner_id"):
        assert client.post("/api/v1/knowledge/rules/search", json={"text": "oak", key: "x"}).status_code == 422


NAMES = ("../../x.txt", "..\\..\\x.txt", "/etc/x.txt", "C:\\x.txt", "\\\\host\\x.txt", "x\0.txt", "%2e%2e%2f.txt",
         "\u202etxt.exe", "n" * 5000, "CON.txt", "", ".", "..", "a\nb\r\nc.txt")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_attack_29_a_name_is_for_showing_only(workbench: Workbench, owner: Person, name: str) -> None:
    before = {path for path in workbench.folder.parent.rglob("*") if workbench.folder not in path.parents}
    base = workbench.knowledge.create(owner, "rules")
    arrived = asyncio.run(workbench.knowledge.receive(owner, "rules", name, _bytes(b"The gate opens at seven.")))
    (outcome,) = base.add([(arrived.file_name, arrived.file)])
    shown = outcome.name
    assert shown.isprintable()
    assert 0 < len(shown) <= 200
    assert not {"/", "\\", "\u202e", "\0"} & set(shown)
    assert shown not in (".", "..")
    assert [path.name for path in base.folder.rglob("original*")] == (["original.txt"] if outcome.entry else [])
    assert {path for path in workbench.folder.parent.rglob("*") if workbench.folder not in path.parents} == before


def test_attack_29_shown_names_keep_what_is_harmless() -> None:
    assert shown_name("合同 (2).pdf") == "合同 (2).pdf"
    assert shown_name("C:\\Users\\li\\劳动法.txt") == "劳动法.txt"


async def _bytes(content: bytes) -> AsyncIterator[bytes]:
    yield content


def test_attack_53_markup_in_names_titles_and_passages_is_inert_text(workbench: Workbench, owner: Person) -> None:
    base = workbench.knowledge.create(owner, "rules", title=PAYLOAD)
    (outcome,) = base.add([(f"{PAYLOAD.replace('/', '')}.txt", f"# {PAYLOAD}\n\nThe gate {PAYLOAD} opens.".encode())])
    assert outcome.entry is not None
    with client_of(workbench) as client:
        client.post("/api/v1/session", json={"name": owner.name, "password": PASSWORD})
        passage = base.passages(outcome.entry.id)[0]
        for address in (
            "/knowledge",
            "/knowledge/rules",
            "/knowledge/rules?tab=search&q=gate+script+alert",
            f"/knowledge/rules?tab=search&q={quote(PAYLOAD)}",
            f"/knowledge/rules/{outcome.entry.id}?passage={passage.id}",
        ):
            shown = client.get(address, headers={"accept": "text/html"})
            assert shown.status_code == 200, address
            assert "<script>alert" not in shown.text, address
            assert "<img src=x" not in shown.text, address
            assert 'href="javascript:' not in shown.text, address


HIDDEN = "The gate\u200b opens\U000e0049\U000e0047 at\u202e seven\u2066 sharp\ufeff."


def test_attack_56_hidden_characters_are_left_out_and_said(workbench: Workbench, owner: Person) -> None:
    base = workbench.knowledge.create(owner, "rules")
    (outcome,) = base.add([("house.txt", HIDDEN.encode())])
    assert outcome.entry is not None
    assert base.document(outcome.entry.id).text.strip() == "The gate opens at seven sharp."
    assert outcome.entry.notices
    with client_of(workbench) as client:
        client.post("/api/v1/session", json={"name": owner.name, "password": PASSWORD})
        shown = client.get(f"/knowledge/rules/{outcome.entry.id}", headers={"accept": "text/html"}).text
        assert outcome.entry.notices[0].text() in _unescaped(shown)


def _unescaped(text: Any) -> str:
    import html

    return html.unescape(str(text))
