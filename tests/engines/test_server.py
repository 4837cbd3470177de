"""A model behind a server: what is sent, what is understood, and what a user is told when it goes wrong."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import aclosing
from typing import Any

import pytest

from metier.core.errors import ConfigError, ModelError
from metier.data.messages import message
from metier.engines import Sampling
from metier.engines.chatmodel import Delta, Request, ToolSpec, Turn
from metier.engines.opening import open_chat_model
from metier.engines.server import ServerChatModel
from metier.specialists.spec import ServerModel, Specialist
from tests.support.upstream import MODEL, Upstream, upstream

HELLO = (Turn(message("user", "Hello, who are you?")),)


def ask(model: Any, **more: Any) -> list[Delta]:
    async def gather() -> list[Delta]:
        return [delta async for delta in model.stream(Request(HELLO, **more))]

    return asyncio.run(gather())


def text(deltas: list[Delta], kind: str = "answer") -> str:
    return "".join(delta.text for delta in deltas if delta.kind == kind)


def model_of(running: Upstream, **more: Any) -> ServerChatModel:
    return ServerChatModel(running.address, local=True, **more)


def test_words_thinking_usage_and_end_come_apart_and_max_tokens_is_always_sent() -> None:
    with upstream(tokens=3, thinking=2) as running:
        model = model_of(running, key="sk-1")
        deltas = ask(model)
    assert text(deltas) == "word2 word3 word4 "
    assert text(deltas, "thinking") == "word0 word1 "
    assert deltas[-1] == Delta("end", finished_by="stop", usage=deltas[-1].usage)
    assert (deltas[-1].usage.prompt_tokens, deltas[-1].usage.completion_tokens) == (7, 5)
    assert running.asked[0]["max_tokens"] == 512
    assert (model.name, model.context_length) == (MODEL, 4096)
    assert "Authorization: Bearer sk-1" in running.heads[-1]


def test_thinking_between_tags_is_told_apart_too() -> None:
    words = ["<thi", "nk>\nhm", "</think>\n\n", "Yes", " <think> is a tag"]
    with upstream(tokens=5, words=words.__getitem__) as running:
        deltas = ask(model_of(running))
    assert (text(deltas, "thinking"), text(deltas)) == ("hm", "Yes <think> is a tag")


def test_tool_calls_come_whole_and_a_schema_is_passed_on() -> None:
    tool = ToolSpec("add", "Adds.", {"type": "object"})
    with upstream(tokens=0, calls=(("add", '{"a": 1, "b": 2}'),)) as running:
        deltas = ask(model_of(running), tools=(tool,), schema={"type": "object"})
    assert [(one.call.name, one.call.arguments) for one in deltas if one.call] == [("add", '{"a": 1, "b": 2}')]
    assert deltas[-1].finished_by == "tool_calls"
    assert running.asked[0]["tools"][0]["function"]["name"] == "add"
    assert running.asked[0]["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_a_server_that_keeps_to_the_letter_is_asked_without_what_it_does_not_know() -> None:
    with upstream(tokens=2, strict=True) as running:
        assert text(ask(model_of(running))) == "word0 word1 "
    assert "seed" not in running.asked[-1]
    assert running.asked[-1]["max_tokens"] == 512


def test_a_server_without_a_list_of_models_is_asked_all_the_same() -> None:
    with upstream(tokens=1, models=None) as running:
        assert text(ask(model_of(running))) == "word0 "
    assert running.asked[0]["model"] == "default"


@pytest.mark.parametrize(
    ("script", "key"),
    [
        ({"status": 401}, "server_key"),
        ({"status": 503}, "server_busy"),
        ({"status": 500}, "server_refused"),
        ({"status": 302}, "server_redirects"),
        ({"break_after": 2}, "server_broke_off"),
        ({"headers": ("Content-Encoding: gzip",)}, "server_not_understood"),
    ],
)
def test_what_goes_wrong_is_told_by_what_it_is(script: dict[str, Any], key: str) -> None:
    with upstream(**script) as running, pytest.raises(ModelError) as raised:
        ask(model_of(running))
    assert raised.value.key == f"engines.{key}"


def test_a_model_that_the_server_has_not_is_named_with_those_it_has() -> None:
    with upstream() as running, pytest.raises(ModelError, match="It lists: paced"):
        asyncio.run(model_of(running, model="other").probe())


def test_closing_the_answer_makes_the_server_stop() -> None:
    with upstream(tokens=10_000, pace=200) as running:

        async def leave() -> float:
            async with aclosing(model_of(running).stream(Request(HELLO, Sampling(max_new_tokens=4000)))) as deltas:
                await anext(deltas)
            return time.monotonic()

        left = asyncio.run(leave())
        while running.open and time.monotonic() < left + 3:
            time.sleep(0.02)
        assert running.cut
        assert running.cut[0] - left < 1


def test_a_key_is_found_by_name_or_asked_for() -> None:
    server = ServerModel(address="https://models.example.com", api_key="MY_KEY")
    wanted = Specialist(name="one", server=server)
    with pytest.raises(ConfigError, match="MY_KEY"):
        open_chat_model(wanted, keys={"OTHER": "x"})
    assert open_chat_model(wanted, keys={"MY_KEY": "x"}).name == "https://models.example.com/v1"


def test_a_server_that_says_nothing_when_asked_what_it_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metier.engines.server._PROBE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        model = ServerChatModel(f"http://127.0.0.1:{silent.getsockname()[1]}", local=True)
        with pytest.raises(ModelError, match=str(silent.getsockname()[1])):
            ask(model)
