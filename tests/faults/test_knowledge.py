"""Imports into knowledge bases that are killed, broken off, or given something that cannot be read."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from metier.core.errors import ModelError
from metier.knowledge.base import KnowledgeBase
from metier.knowledge.library import Library
from metier.workbench import arrivals
from metier.workbench.accounts import Person
from metier.workbench.importing import import_batch, turns
from metier.workbench.process import started_at
from metier.workbench.workbench import Workbench
from tests.faults.children import arrive
from tests.support.bench import member, wait_for
from tests.support.server import Server, started

OLD = "Rule 1. The gate opens at seven.\n\nRule 2. The gate closes at nine."
NEW = OLD.replace("nine", "eleven")
# Killed -9 where a step is about to begin, or has just ended.
STAGES = {
    "stored": ("metier.knowledge.adding", "index", "before"),
    "indexed": ("metier.knowledge.adding", "entry_of", "before"),
    "old one taken off": ("metier.knowledge.shelf", "Shelf.enter", "before"),
    "entered": ("metier.knowledge.shelf", "Shelf.enter", "after"),
    "forgetting": ("metier.knowledge.shelf", "Shelf.forget", "before"),
}
KILLED = """
import importlib, os, signal, sys
from functools import reduce
from pathlib import Path
from metier.knowledge.library import Library

folder, text, module, path, when = sys.argv[1:]
*parents, name = path.split(".")
owner = reduce(getattr, parents, importlib.import_module(module))
step = getattr(owner, name)

def die(*given, **named):
    if when == "after":
        step(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, name, die)
Library(Path(folder)).open("anna", "rules").add([("house.txt", text.encode())])
"""


def add_and_die(base: KnowledgeBase, library: Library, text: str, stage: str) -> int:
    """Adds a text in a process that is killed at a stage; returns its exit code."""
    command = [sys.executable, "-c", KILLED, str(library.folder), text, *STAGES[stage]]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_fault_39_an_import_killed_at_any_place_goes_on_without_duplicates(tmp_path: Path, stage: str) -> None:
    library = Library(tmp_path)
    base = library.create("anna", "rules")
    base.add([("house.txt", OLD.encode())])
    assert add_and_die(base, library, NEW, stage) == -signal.SIGKILL
    during = [hit.passage.text for hit in base.search("when does the gate close", limit=20)]
    assert sum("nine" in text for text in during) + sum("eleven" in text for text in during) == 1, "neither or both"
    assert [outcome.state for outcome in base.add([("house.txt", NEW.encode())])] in (["same"], ["replaced"])
    (entry,) = base.documents()
    assert base.index.documents() == {entry.id: entry.passages}
    assert base.check() == []
    assert not any(b"at nine" in path.read_bytes() for path in base.folder.rglob("*") if path.is_file())


@pytest.mark.slow
def test_fault_39_a_server_killed_while_it_imports_goes_on_at_its_next_start(tmp_path: Path) -> None:
    names = [f"house {number}.txt" for number in range(6)]
    server = Server(tmp_path / "home")
    try:
        with contextlib.closing(server.client()) as client:
            client.post("/api/v1/knowledge", json={"name": "rules"}).raise_for_status()
            for number, name in enumerate(names):
                address = "/api/v1/knowledge/rules/documents"
                sent = client.post(address, params={"name": name}, content=f"{OLD} Number {number}.".encode())
                assert sent.status_code == 202
        (importer,) = wait_for(lambda: importers(tmp_path / "home"))
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        wait_for(lambda: started_at(importer) is None, 15)  # nothing goes on behind a server that is gone
    finally:
        server.close()
    again = Server(tmp_path / "home")
    try:
        with contextlib.closing(again.client()) as client:
            ended = wait_for(lambda: all_ended(client.get("/api/v1/knowledge/rules/imports").json()), 60)
            assert [one["result"] for one in ended] == ["added"] * len(names)
            seen = client.get("/api/v1/knowledge/rules").json()
            assert sorted(one["name"] for one in seen["entries"]) == names
            assert seen["passages"] == sum(one["passages"] for one in seen["entries"])
    finally:
        again.close()
    (folder,) = (tmp_path / "home" / "knowledge").glob("*/*/base.json")
    assert KnowledgeBase(folder.parent, folder.parent.parent.name).check() == []


@pytest.mark.slow
def test_a_server_makes_an_index_of_another_version_anew_by_itself(tmp_path: Path) -> None:
    def search(client: httpx.Client) -> httpx.Response:
        return client.post("/api/v1/knowledge/rules/search", json={"text": "when does the gate close"})

    with started(tmp_path / "home") as server, contextlib.closing(server.client()) as client:
        client.post("/api/v1/knowledge", json={"name": "rules"}).raise_for_status()
        client.post("/api/v1/knowledge/rules/documents", params={"name": "a.txt"}, content=OLD.encode())
        wait_for(lambda: all_ended(client.get("/api/v1/knowledge/rules/imports").json()))
        assert "nine" in search(client).text
    (pointer,) = (tmp_path / "home" / "knowledge").glob("*/*/index/current.json")
    pointer.write_text(json.dumps({**json.loads(pointer.read_text()), "format": 0}))
    with started(tmp_path / "home") as server, contextlib.closing(server.client()) as client:
        found = wait_for(lambda: (answer := search(client)).status_code == 200 and answer.json())
        assert "nine" in found[0]["passage"]["text"]
        client.post("/api/v1/knowledge/rules/documents", params={"name": "a.txt"}, content=NEW.encode())
        wait_for(lambda: "eleven" in search(client).text)


def all_ended(imports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return imports if all(one["state"] in ("done", "failed") for one in imports) else []


def importers(home: Path) -> list[int]:
    """Processes that import into an installation."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"metier.workbench.importing" in words and str(home).encode() in b" ".join(words):
            found.append(int(path.parent.name))
    return found


@pytest.mark.parametrize("tenth", [1, 9])
def test_fault_38_a_document_that_breaks_off_leaves_nothing(workbench: Workbench, owner: Person, tenth: int) -> None:
    async def parts() -> Any:
        for number in range(10):
            if number == tenth:
                raise ConnectionError
            yield b"x" * 1000

    base = workbench.knowledge.create(owner, "rules")
    with pytest.raises(ConnectionError):
        asyncio.run(workbench.knowledge.receive(owner, "rules", "a.txt", parts()))
    assert list((base.folder / "incoming").iterdir()) == []
    assert workbench.quota.used_bytes(owner) == 0


def test_fault_40_a_file_that_cannot_be_read_fails_alone_and_says_why(workbench: Workbench, owner: Person) -> None:
    base = workbench.knowledge.create(owner, "rules")
    batch = [arrive(base, "broken.pdf", b"%PDF-1.7 nothing"), arrive(base, "house.txt", OLD.encode())]
    import_batch(base, batch)
    failed, done = workbench.knowledge.arrivals(owner, "rules")
    assert (failed.state, done.state) == ("failed", "done")
    assert failed.outcome is not None
    assert failed.outcome["key"].startswith("knowledge.")
    assert [entry.name for entry in base.documents()] == ["house.txt"]
    assert not failed.file.exists()


def test_fault_40_a_file_that_ends_the_importer_each_time_is_given_up(workbench: Workbench, owner: Person) -> None:
    base = workbench.knowledge.create(owner, "rules")
    poison = arrive(base, "poison.txt", OLD.encode())
    for _ in range(arrivals.MOST_ATTEMPTS):
        (poison,) = arrivals.arrivals(base.folder)
        arrivals.count_attempt(poison)
    import_batch(base, arrivals.arrivals(base.folder))
    (given_up,) = arrivals.arrivals(base.folder)
    assert given_up.outcome is not None
    assert given_up.outcome["key"] == "workbench.import_given_up"
    assert base.documents() == []


def test_fault_39_what_was_broken_off_and_needs_an_absent_embedder_is_told_and_stops_nobody(
    workbench: Workbench, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from metier.knowledge import adding

    def away(_base: Any) -> int:
        raise ModelError("knowledge.embeddings_slow", address="https://far.example/v1", seconds=120)

    base = workbench.knowledge.create(owner, "rules")
    waiting = arrive(base, "house.txt", OLD.encode())
    monkeypatch.setattr(adding, "finish", away)
    import_batch(base, [waiting])
    (told,) = arrivals.arrivals(base.folder)
    assert told.state == "failed"
    assert "far.example" in told.reason


def test_fault_39_one_error_of_ours_is_told_and_the_next_file_goes_on(
    workbench: Workbench, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from metier.knowledge import adding

    base = workbench.knowledge.create(owner, "rules")
    arrive(base, "a.txt", OLD.encode())
    arrive(base, "b.txt", NEW.encode())
    real, calls = adding.passages_of, iter([RuntimeError("a bug")])

    def once_wrong(*given: Any) -> Any:
        for error in calls:
            raise error
        return real(*given)

    monkeypatch.setattr(adding, "passages_of", once_wrong)
    for _ in range(2):
        import_batch(base, [one for one in arrivals.arrivals(base.folder) if one.outcome is None])
    first, second = arrivals.arrivals(base.folder)
    assert (first.state, second.state) == ("failed", "done")
    assert "a bug" in str(first.outcome)


def test_who_brings_a_hundred_files_keeps_another_waiting_for_one(workbench: Workbench, owner: Person) -> None:
    """A file may take minutes, as its sender likes."""
    other = member(workbench, owner, "b")
    much, little = (workbench.knowledge.create(person, "rules") for person in (owner, other))
    for number in range(10):
        arrive(much, f"house {number}.txt", f"{OLD} {number}".encode())
    arrive(little, "mine.txt", NEW.encode())
    order = []
    for base, batch in turns(workbench.knowledge.library):
        order += [base.owner] * len(batch)
        for one in batch:
            arrivals.end(one, {"state": "added"})
    assert order.index(other.id) == 1
    assert order.count(owner.id) == 10
