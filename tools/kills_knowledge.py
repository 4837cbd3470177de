"""Kills the server and its importer at random while documents come in, are replaced and asked about.

    python tools/kills_knowledge.py [--kills 60] [--seed 7] [--folder FOLDER]

Each turn some files are sent, a third of them new versions of ones that are there, and a question is put to a
specialist whose model writes for seconds. After a random while the server, the importer or both are killed with -9,
mostly in mid-import and mid-answer; a killed server is started again. Checked after each kill: no search finds two
versions of a document; every acknowledged conversation is there, and an answer that was cut off is `stopped`, says so
and grows no more. At the end: each acknowledged file is a document once, in its newest version; the index has the
passages of the documents and no others; of old versions no word is on the disk; no process is left; the database is
sound.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sqlite3
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
from tests.faults.test_knowledge import importers
from tests.support.server import Server
from tests.support.upstream import MODEL, Upstream, upstream

from metier.knowledge.base import KnowledgeBase
from tools.trials import run_command

_BASE = "/api/v1/knowledge/rules"
_CHATS = "/api/v1/assistant/chats"


class Trial:
    """One server, the files that it was given and the conversations that were had.

    sent: file name → its versions in the order they were sent; acknowledged: file name → the last one of which the
    server said that it is there; chats: conversation → how long each answer was when it was last seen ended.
    """

    def __init__(self, folder: Path, seed: int, model: Upstream) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.sent: dict[str, list[int]] = {}
        self.acknowledged: dict[str, int] = {}
        self.chats: dict[str, dict[str, str]] = {}
        self.counts = {"files": 0, "questions": 0, "in mid-import": 0, "in mid-answer": 0}
        self._start()
        self.client.post("/api/v1/knowledge", json={"name": "rules"}).raise_for_status()
        rules = {"cite": False, "abstain": False, "quote": "never"}
        served = {"name": "served", "server": {"address": model.address, "model": MODEL}, "rules": rules}
        self.client.post("/api/v1/specialists", json=served).raise_for_status()

    def _start(self) -> None:
        self.server = Server(self.folder, METIER_SERVERS_LOCAL="1")
        self.client = self.server.client()

    def send(self, count: int) -> None:
        """Sends files until the server is gone; what it acknowledged is remembered."""
        for _ in range(count):
            known = self.chance.random() < 0.35 and self.sent
            name = self.chance.choice(sorted(self.sent)) if known else f"house {len(self.sent)}.txt"
            version = len(self.sent.get(name, []))
            self.sent.setdefault(name, []).append(version)
            with suppress(httpx.HTTPError):
                answer = self.client.post(f"{_BASE}/documents", params={"name": name}, content=_text(name, version))
                if answer.status_code == 202:
                    self.acknowledged[name] = version
                    self.counts["files"] += 1

    def ask(self) -> None:
        """One more conversation whose answers take a while; remembered once it is acknowledged."""
        with suppress(httpx.HTTPError):
            begun = self.client.post(_CHATS, json={"specialist": "served", "bare": True})
            if begun.status_code == 201:
                chat = begun.json()["id"]
                self.chats[chat] = {}
                asked = self.client.post(f"{_CHATS}/{chat}/questions", json={"text": "When does the gate close?"})
                if asked.status_code == 201:
                    self.counts["questions"] += 1
                    self.chats[chat] = {turn["id"]: "" for turn in asked.json() if turn["role"] == "assistant"}

    def kill(self) -> str:
        """Kills something while files are on their way, and says what."""
        sending = threading.Thread(target=self.send, args=(self.chance.randint(2, 6),))
        self.ask()
        sending.start()
        time.sleep(self.chance.uniform(0.0, 2.5))
        what = self.chance.choice(("server", "server", "importer", "both"))
        found = importers(self.folder)
        self.counts["in mid-import"] += bool(found)
        if what in ("importer", "both"):
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if what in ("server", "both"):
            self._see_answers()
            self.server.kill()
            sending.join()
            self.client.close()
            self._start()
        sending.join()
        return what

    def _see_answers(self) -> None:
        """Remembers what has been said so far, to be found again after the kill."""
        with suppress(httpx.HTTPError):
            for chat in list(self.chats)[-1:]:
                turns = self.client.get(f"{_CHATS}/{chat}").json()["turns"]
                self.counts["in mid-answer"] += any(turn["state"] == "writing" and turn["text"] for turn in turns)

    def check(self, *, restarted: bool) -> list[str]:
        """What does not hold now."""
        wrong = []
        for name in self.chance.sample(sorted(self.sent), min(6, len(self.sent))):
            found = self.client.post(f"{_BASE}/search", json={"text": _mark(name), "limit": 50})
            if found.status_code != 200:
                wrong.append(f"a search fails: {found.text}")
                continue
            versions = {hit["passage"]["document"] for hit in found.json() if hit["passage"]["file"] == name}
            if len(versions) > 1:
                wrong.append(f"{name} is found in {len(versions)} versions")
        for chat, answers in self.chats.items():
            wrong += self._check_chat(chat, answers, restarted=restarted)
        return wrong

    def _check_chat(self, chat: str, answers: dict[str, str], *, restarted: bool) -> list[str]:
        said = self.client.get(f"{_CHATS}/{chat}")
        if said.status_code != 200:
            return [f"conversation {chat} is gone: {said.status_code}"]
        wrong = []
        turns = {turn["id"]: turn for turn in said.json()["turns"] if turn["role"] == "assistant"}
        if set(answers) - set(turns):
            wrong.append(f"answers of {chat} are gone")
        for one, before in answers.items():
            turn = turns.get(one)
            if turn is None:
                continue
            if restarted and turn["state"] == "writing":
                wrong.append(f"nobody writes the answer {one}")
            if turn["state"] == "stopped" and not (turn["cut"] or turn["reason"]):
                wrong.append(f"the answer {one} does not say why it stops")
            if before and turn["text"] != before:
                wrong.append(f"the answer {one} had ended, and changed")
            if turn["state"] in ("stopped", "whole"):
                answers[one] = turn["text"]
        return wrong

    def settle(self, seconds: float) -> list[str]:
        """Waits until all that came in is imported; what was given up after three kills is sent again."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            imports = self.client.get(f"{_BASE}/imports").json()
            if all(one["state"] in ("done", "failed") for one in imports):
                failed = {one["file_name"] for one in imports if one["state"] == "failed"}
                self.client.delete(f"{_BASE}/imports").raise_for_status()
                if not failed:
                    return []
                for name in failed:
                    version = self.sent[name][-1]
                    self.client.post(f"{_BASE}/documents", params={"name": name}, content=_text(name, version))
                    self.acknowledged[name] = version
            time.sleep(0.3)
        return ["imports do not end"]

    def check_documents(self) -> list[str]:
        """What does not hold at the end: each file once and whole, nothing of what it replaced."""
        wrong = []
        entries = self.client.get(_BASE).json()["entries"]
        names = [entry["name"] for entry in entries]
        wrong += [f"{name} is there {names.count(name)} times" for name in set(names) if names.count(name) != 1]
        wrong += [f"{name} was acknowledged and is not there" for name in set(self.acknowledged) - set(names)]
        (file,) = (self.folder / "knowledge").glob("*/*/base.json")
        base = KnowledgeBase(file.parent, file.parent.parent.name)
        if base.index.documents() != {entry.id: entry.passages for entry in base.documents()}:
            wrong.append("the index has other passages than the documents")
        wrong += [str(problem) for problem in base.check()]
        kept = b"".join(path.read_bytes() for path in base.folder.rglob("*") if path.is_file())
        for name in set(names):
            there = [version for version in self.sent[name] if _word(name, version).encode() in kept]
            newest = self.acknowledged.get(name, 0)
            if len(there) != 1 or there[0] < newest:
                wrong.append(f"{name}: versions {there} are on the disk, {newest} was acknowledged last")
        with sqlite3.connect(self.folder / "metier.db") as database:
            if database.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                wrong.append("the database is not sound")
        return wrong

    def end(self) -> list[str]:
        """Ends the server; nothing may be left of it."""
        self.server.close()
        end = time.monotonic() + 15
        while importers(self.folder) and time.monotonic() < end:
            time.sleep(0.1)
        return ["an importer outlives its server"] if importers(self.folder) else []


def _mark(name: str) -> str:
    """A word that is in every version of a file and in no other."""
    return "mark" + hashlib.sha256(name.encode()).hexdigest()[:12]


def _word(name: str, version: int) -> str:
    """A word of one version."""
    return "word" + hashlib.sha256(f"{name} {version}".encode()).hexdigest()[:12]


def _text(name: str, version: int) -> bytes:
    rules = (f"Rule {number} of {_mark(name)} says {_word(name, version)}. " * 12 for number in range(1, 40))
    return "\n\n".join(rules).encode()


def run(folder: Path, kills: int, seed: int) -> list[str]:
    """The whole trial; returns what did not hold."""
    wrong: list[str] = []
    with upstream(tokens=200, pace=25) as model:
        trial = Trial(folder, seed, model)
        try:
            for number in range(1, kills + 1):
                what = trial.kill()
                found = trial.check(restarted=what != "importer")
                wrong += found
                sys.stdout.write(f"kill {number}: {what}" + "".join(f"\n  {one}" for one in found) + "\n")
                sys.stdout.flush()
            wrong += trial.settle(300)
            wrong += trial.check(restarted=False) + trial.check_documents()
        except httpx.HTTPError as error:
            wrong.append(f"a request failed: {error!r}")
        finally:
            wrong += trial.end()
    told: dict[str, Any] = {**trial.counts, "documents": len(trial.acknowledged)}
    sys.stdout.write(", ".join(f"{name}: {count}" for name, count in told.items()) + "\n")
    return wrong


if __name__ == "__main__":
    run_command(__doc__, run, kills=60)
