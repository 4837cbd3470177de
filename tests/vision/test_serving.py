"""Pictures through the gateway: as data URLs, to the engine in this process and to servers."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from openai import BadRequestError, OpenAI

from metier.engines import EngineOptions, Sampling, open_engine
from metier.models import resolve_model
from tests.support.gateway import KEY, behind, gateway, in_process
from tests.support.upstream import upstream
from tests.vision.support import Talk


def asked(picture: bytes) -> list[dict[str, Any]]:
    url = "data:image/png;base64," + base64.b64encode(picture).decode()
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "What is the trend?"}]
    return [{"role": "user", "content": parts}]


def test_a_picture_is_answered_about_as_the_engine_itself_does(mllama: Path, tmp_path: Path, talk: Talk) -> None:
    (question,) = talk.ask("What is the trend?", (64, 40))
    engine = open_engine("hf", resolve_model(str(mllama)), EngineOptions(device="cpu"))
    prompt = engine.renderer.prompt([question])
    ((_, wanted),) = [
        pair for batch in engine.generate([prompt], Sampling(temperature=0, max_new_tokens=8)) for pair in batch
    ]
    with gateway({"eyes": in_process(mllama)}, tmp_path / "home") as (address, _):
        client = OpenAI(base_url=address, api_key=KEY, max_retries=0, timeout=30)
        picture = question.images[0].read()
        answer = client.chat.completions.create(model="eyes", messages=asked(picture), max_tokens=8, temperature=0)
        assert answer.choices[0].message.content == wanted.text
        assert answer.usage.prompt_tokens == len(prompt.input_ids)
        with pytest.raises(BadRequestError, match=r"(?i)picture"):
            client.chat.completions.create(model="eyes", messages=asked(picture[:-40]), max_tokens=8)


def test_a_model_without_eyes_says_so(tiny_model: Path, tmp_path: Path, talk: Talk) -> None:
    with gateway({"blind": in_process(tiny_model)}, tmp_path / "home") as (address, _):
        client = OpenAI(base_url=address, api_key=KEY, max_retries=0, timeout=30)
        with pytest.raises(BadRequestError, match="takes no pictures"):
            client.chat.completions.create(model="blind", messages=asked(talk.picture().read()), max_tokens=8)


def test_a_server_gets_the_picture_as_it_came(tmp_path: Path, talk: Talk) -> None:
    messages = asked(talk.picture().read())
    with upstream(tokens=2) as running, gateway({"far": behind(running.address)}, tmp_path / "home") as (address, _):
        client = OpenAI(base_url=address, api_key=KEY, max_retries=0, timeout=30)
        client.chat.completions.create(model="far", messages=messages, max_tokens=8)
        assert running.asked[0]["messages"] == messages
