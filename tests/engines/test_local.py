"""A model in this process, asked as any other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from metier.core.errors import ConfigError
from metier.data.messages import message
from metier.engines import EngineOptions, Sampling
from metier.engines.chatmodel import Delta, Request, ToolSpec, Turn
from metier.engines.local import LocalChatModel, open_local
from metier.engines.sharing import SharedBase


def request(text: str = "Hello", tokens: int = 12, **more: object) -> Request:
    return Request((Turn(message("user", text)),), Sampling(temperature=0.0, max_new_tokens=tokens), **more)


@pytest.fixture(scope="module")
def model(talking_model: Path) -> Iterator[LocalChatModel]:
    opened = open_local(str(talking_model))
    yield opened
    asyncio.run(opened.close())


async def gather(model: LocalChatModel, asked: Request) -> list[Delta]:
    return [delta async for delta in model.stream(asked)]


def text(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas if delta.kind == "answer")


def test_answers_that_grow_together_are_those_that_come_alone(model: LocalChatModel) -> None:
    asked = [request(word, tokens) for word, tokens in (("one", 12), ("another one", 20), ("a third, longer", 7))]

    async def together() -> list[list[Delta]]:
        return await asyncio.gather(*(gather(model, one) for one in asked))

    alone = [asyncio.run(gather(model, one)) for one in asked]
    found = asyncio.run(together())
    assert [text(one) for one in found] == [text(one) for one in alone]
    assert [one[-1].usage.completion_tokens for one in found] == [12, 20, 7]
    assert {one[-1].finished_by for one in found} == {"length"}
    assert alone[0][-1].usage.prompt_tokens == model.count(asked[0].turns)


def test_several_answers_grow_at_once(model: LocalChatModel) -> None:
    seen: list[str] = []

    async def follow(name: str) -> None:
        async for delta in model.stream(request(name, 30)):
            if delta.kind == "answer":
                seen.append(name)

    async def both() -> None:
        await asyncio.gather(follow("a"), follow("b"))

    asyncio.run(both())
    assert "b" in seen[: len(seen) // 2]
    assert "a" in seen[: len(seen) // 2]


def test_closing_an_answer_stops_it(model: LocalChatModel) -> None:
    async def leave() -> None:
        async with aclosing(model.stream(request(tokens=10_000))) as deltas:
            await anext(deltas)

    begun = time.monotonic()
    asyncio.run(leave())
    assert text(asyncio.run(gather(model, request("again")))) == text(asyncio.run(gather(model, request("again"))))
    while model.busy and time.monotonic() < begun + 2:
        time.sleep(0.01)
    assert time.monotonic() - begun < 2


def test_what_it_cannot_do_is_refused_by_name(model: LocalChatModel) -> None:
    with pytest.raises(ConfigError, match="tools"):
        asyncio.run(gather(model, request(tools=(ToolSpec("f", "", {}),))))
    with pytest.raises(ConfigError, match="JSON schema"):
        asyncio.run(gather(model, request(schema={})))


@pytest.mark.slow
def test_adapters_share_one_base_and_each_answers_as_it_does_alone(
    lively: Path, adapter: Path, other_adapter: Path
) -> None:
    base = SharedBase(str(lively))
    names = (None, str(adapter), str(other_adapter))

    async def all_at_once(models: list[LocalChatModel]) -> list[str]:
        return [text(one) for one in await asyncio.gather(*(gather(model, request(tokens=8)) for model in models))]

    shared = [base.open(name) for name in names]
    together = asyncio.run(all_at_once(shared))
    alone = [open_local(str(lively), name, EngineOptions(merge_adapter=False)) for name in names]
    assert together == [asyncio.run(all_at_once([model]))[0] for model in alone]
    assert len(set(together)) == 3
    assert len({id(model.engine._network.core) for model in shared}) == 1
    asyncio.run(shared[1].close())
    assert base.adapters == [str(other_adapter)]
    assert asyncio.run(all_at_once([shared[0], shared[2]])) == [together[0], together[2]]
    for model in (shared[0], shared[2], *alone):
        asyncio.run(model.close())
    assert base.adapters == []
