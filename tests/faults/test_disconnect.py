"""Fault 37: who reads a stream goes away; the model stops writing for them."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from metier.specialists.spec import AnswerRules, Specialist
from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench
from tests.faults.children import give_model
from tests.support.postgres import ON_BOTH

pytestmark = [pytest.mark.slow, ON_BOTH]


def test_fault_37_a_disconnect_stops_generation_within_two_seconds(
    workbench: Workbench, owner: Person, served: str, talking_model: Path
) -> None:
    give_model(talking_model)
    rules = AnswerRules(cite=False, abstain=False, quote="never")
    workbench.specialists.create(owner, Specialist(name="talker", model_name_or_path="tiny", rules=rules))
    key = workbench.accounts.create_key(owner, "program")[1]
    body = {"model": "tiny", "messages": [{"role": "user", "content": "?"}], "max_tokens": 9000, "stream": True}
    headers = {"Authorization": f"Bearer {key}"}
    address = f"{served}/v1/chat/completions"
    with httpx.stream("POST", address, json={**body, "temperature": 0}, headers=headers, timeout=120) as answer:
        lines = answer.iter_lines()
        while "content" not in next(lines):
            pass
        host = workbench.chats.hosts.of(owner)
        assert host is not None
        assert host.busy
    gone = time.monotonic()
    while host.busy and time.monotonic() - gone < 10:
        time.sleep(0.02)
    assert time.monotonic() - gone < 2
    body = {**body, "model": "talker", "max_tokens": 5, "stream": False}
    told = httpx.post(address, json=body, headers=headers, timeout=120)  # the same weights, as the specialist's
    assert told.status_code == 200, told.text
