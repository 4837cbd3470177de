"""Chats when something is killed: no process and no lease stays, what was said is kept, nobody gets a device twice."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from metier.core.errors import CorruptionError
from metier.models.adapters import ADAPTER_CONFIG
from metier.train.checkpoints import checkpoint_folder
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.backends.local import of_token
from metier.workbench.chatprocess import process_token
from metier.workbench.chatsetup import ChatSampling, ChatSetup
from metier.workbench.jobs import ENDED
from metier.workbench.process import started_at
from metier.workbench.store.tables import Job, Lease
from metier.workbench.workbench import Workbench
from tests.faults.children import give_data, give_model, training
from tests.support.bench import wait_for
from tests.support.server import started

pytestmark = pytest.mark.slow
LONG = ChatSetup(models=("tiny",), sampling=ChatSampling(temperature=0, max_new_tokens=9000))


@pytest.fixture
def ready(workbench: Workbench, owner: Person, talking_model: Path) -> Workbench:
    """A workbench with a set and a model, looking after its queue."""
    give_model(talking_model)
    give_data(workbench, owner)
    workbench.start()
    return workbench


def leases(workbench: Workbench) -> list[tuple[str, str]]:
    with workbench.database.read() as session:
        return [(lease.device, lease.holder_kind) for lease in session.query(Lease)]


def writes(workbench: Workbench, owner: Person) -> str:
    """A chat whose answer has begun."""
    chat = workbench.chats.create(owner, LONG)
    workbench.chats.ask(owner, chat.id, "Say something long.")
    wait_for(lambda: workbench.chats.turns(owner, chat.id)[1].text)
    return chat.id


def test_a_killed_server_leaves_no_chat_process_and_keeps_what_was_said(tmp_path: Path, talking_model: Path) -> None:
    give_model(talking_model)
    home = tmp_path / "bench"
    with started(home) as server:
        client = server.client()
        at = chat_of(client)
        said = wait_for(lambda: client.get(at).json()["turns"][1]["text"])
        time.sleep(1.5)  # what was said is saved about every second
        host = client.get("/api/v1/chat/state").json()["host"]
        (child,) = of_token(process_token(host))
        server.kill()
        wait_for(lambda: started_at(child) is None, 5)
    with started(home) as server:
        client = server.client()
        answer = client.get(at).json()["turns"][1]
        assert (answer["state"], answer["cut"]) == ("stopped", True)
        assert answer["text"].startswith(said)
        assert client.get("/api/v1/devices").json()[0]["kind"] is None
        server.stop()


def chat_of(client: httpx.Client) -> str:
    """The address of a chat that is being answered at length."""
    chat = client.post("/api/v1/chats", json=LONG.model_dump(mode="json")).json()["id"]
    client.post(f"/api/v1/chats/{chat}/questions", json={"text": "Say something long."}).raise_for_status()
    return f"/api/v1/chats/{chat}"


def test_a_killed_chat_process_is_told_and_its_device_freed(ready: Workbench, owner: Person) -> None:
    chat = writes(ready, owner)
    host = ready.chats.hosts.of(owner)
    assert host is not None
    os.kill(of_token(host.token)[0], signal.SIGKILL)
    answer = wait_for(lambda: (one := ready.chats.turns(owner, chat)[1]).state == "stopped" and one)
    assert answer.text
    assert answer.details["reason"]["key"] == "workbench.chat_killed"
    wait_for(lambda: leases(ready) == [])
    ready.chats.regenerate(owner, chat, answer.id)
    wait_for(lambda: ready.chats.turns(owner, chat)[1].text)


@pytest.mark.long
def test_a_chat_and_a_run_never_have_one_device_and_stand_in_line(ready: Workbench, owner: Person) -> None:
    writes(ready, owner)
    job = ready.jobs.submit(owner, "train", training(num_train_epochs=1, save_steps=10))
    assert leases(ready) == [("cpu", "chat")]
    host = ready.chats.hosts.of(owner)
    assert host is not None
    assert ready.chats.hosts.waited_for(host) == 1
    ready.chats.hosts.unload(owner)
    wait_for(lambda: leases(ready) == [("cpu", "job")])
    waiting = ready.chats.load(owner, ["tiny"], wait=True)
    later = ready.jobs.submit(owner, "train", training(num_train_epochs=1))
    assert waiting.state == "waiting"
    assert ready.chats.hosts.ahead(later)
    assert not ready.chats.hosts.ahead(job)
    holder = ready.chats.hosts.holder(owner, host=waiting)
    assert holder is not None
    assert (holder.kind, holder.id, holder.title) == ("job", job.id, job.title)
    wait_for(lambda: waiting.state == "ready", 200)
    assert ready.jobs.get(owner, later.id).state == "queued"
    ready.jobs.cancel(owner, later.id)
    # What the run has trained, and each checkpoint of it, can be talked to.
    names = [one.reference for one in ready.chats.models.choices(owner)]
    assert f"run:{job.id}" in names
    assert f"run:{job.id}@step-000040" in names
    assert answered(ready, owner, ["tiny", f"run:{job.id}@step-000040"])
    spoil(ready, job)
    with pytest.raises(CorruptionError):
        ready.chats.load(owner, [f"run:{job.id}@step-000040"])


def answered(workbench: Workbench, owner: Person, models: list[str]) -> bool:
    """Whether models answer side by side."""
    setup = ChatSetup(models=tuple(models), sampling=ChatSampling(max_new_tokens=5))
    chat = workbench.chats.create(owner, setup)
    workbench.chats.ask(owner, chat.id, "?")
    turns = wait_for(lambda: (all_ := workbench.chats.turns(owner, chat.id)) and all_[1].state != "writing"
                     and all_[2].state != "writing" and all_)  # fmt: skip
    return [turn.state for turn in turns[1:]] == ["whole", "whole"]


def spoil(workbench: Workbench, job: Job) -> None:
    """Flips a byte in a checkpoint."""
    file = checkpoint_folder(training_of(workbench, job), 40) / ADAPTER_CONFIG
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(content)


def training_of(workbench: Workbench, job: Job) -> Path:
    return workbench.jobs.folder_of(job) / layout.RUN / "steps" / "train"


def test_a_checkpoint_of_all_weights_is_read_with_its_base_models_tokenizer(ready: Workbench, owner: Person) -> None:
    values: dict[str, Any] = {"finetuning_type": "full", "num_train_epochs": 1, "save_steps": 40}
    job = ready.jobs.submit(owner, "train", training(**values, lora_dropout=0.0))
    wait_for(lambda: ready.jobs.get(owner, job.id).state in ENDED, 200)
    assert answered(ready, owner, [f"run:{job.id}", f"run:{job.id}@step-000040"])
    ready.chats.hosts.unload(owner)
