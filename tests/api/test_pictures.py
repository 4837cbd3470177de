"""Questions about pictures over the API, to a real tiny Llama 3.2 Vision: in a chat, and over OpenAI's protocol."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from metier.models import add_model
from metier.workbench.workbench import Workbench
from tests.api.test_chats import follow, turns
from tests.faults.children import give_model
from tests.support.bench import sign_up
from tests.support.tiny_vision import drawing, tiny_mllama

pytestmark = pytest.mark.slow
# The chat's own defaults: the repetition penalty meets the picture's token, which has no logit.
SAMPLING = {"max_new_tokens": 8, "seed": 1}


def png(seed: int = 0) -> bytes:
    file = io.BytesIO()
    drawing(seed=seed).save(file, "PNG")
    return file.getvalue()


def completed(client: TestClient, key: str, model: str) -> Any:
    address = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    parts = [{"type": "image_url", "image_url": {"url": address}}, {"type": "text", "text": "What is shown?"}]
    body = {"model": model, "max_tokens": 8, "messages": [{"role": "user", "content": parts}]}
    return client.post("/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"})


def test_a_vision_model_is_asked_about_pictures(
    client: TestClient, workbench: Workbench, tmp_path: Path, talking_model: Path
) -> None:
    add_model(str(tiny_mllama(tmp_path / "vision")), name="charts")
    give_model(talking_model)
    sign_up(client)
    sent = [client.post("/api/v1/pictures?name=a.png", content=png(seed)).json()["id"] for seed in (1, 2)]
    setup = {"models": ["charts"], "sampling": SAMPLING, "system_prompt": "You read charts."}
    chat = client.post("/api/v1/chats", json=setup).json()["id"]
    asked = {"text": "Which is larger?", "pictures": sent}
    assert client.post(f"/api/v1/chats/{chat}/questions", json=asked).status_code == 201
    follow(client, chat)
    question, answer = turns(client, chat)
    assert [one["id"] for one in question["pictures"]] == sent
    assert answer["state"] == "whole", answer
    assert answer["tokens"] > 0
    assert client.get(f"/api/v1/pictures/{sent[0]}").headers["content-type"] == "image/png"
    # It is one more question about what was shown before, with no words at all beside the new picture.
    address = f"data:image/png;base64,{base64.b64encode(png(3)).decode()}"
    client.post(f"/api/v1/chats/{chat}/questions", json={"pictures": [address]}).raise_for_status()
    follow(client, chat)
    assert turns(client, chat)[-1]["state"] == "whole"
    # The same conversation with a model that takes none: it is asked without, and that is told.
    client.patch(f"/api/v1/chats/{chat}", json={"setup": {"models": ["tiny"], "sampling": SAMPLING}}).raise_for_status()
    client.post(f"/api/v1/chats/{chat}/questions", json={"text": "And now?"}).raise_for_status()
    follow(client, chat)
    last = turns(client, chat)[-1]
    assert last["state"] == "whole"
    assert "takes no pictures" in last["notices"][0]
    refused = client.post(f"/api/v1/chats/{chat}/questions", json=asked)
    assert (refused.status_code, refused.json()["code"]) == (409, "workbench.chat_takes_no_pictures")
    client.delete(f"/api/v1/chats/{chat}")
    assert client.get(f"/api/v1/pictures/{sent[0]}").status_code == 404
    key = client.post("/api/v1/me/keys", json={"name": "program"}).json()["key"]
    assert completed(client, key, "charts").json()["choices"][0]["finish_reason"] in ("length", "stop")
    blind = completed(client, key, "tiny")
    assert blind.status_code == 400, blind.text
    assert "picture" in blind.json()["error"]["message"]
