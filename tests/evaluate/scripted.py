"""Judges for these tests: a `ChatModel` whose answers are written by a function of what it is shown."""

from __future__ import annotations

import json
import random
import re
from collections.abc import AsyncGenerator, Callable, Sequence

from metier.engines.chatmodel import Delta, Request, Turn, Usage
from metier.evaluate.rubric import Rubric

Say = Callable[[str, str, Request], str]


class Scripted:
    """Answers with what `say(first answer, second answer, request)` gives; counts what it was asked."""

    name = "scripted"
    context_length = 100_000
    can_call_tools = False

    def __init__(self, say: Say, *, schema: bool = False) -> None:
        self.say = say
        self.can_follow_schema = schema
        self.requests: list[Request] = []

    def count(self, turns: Sequence[Turn]) -> int:
        return sum(len(turn.message.text) for turn in turns)

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        self.requests.append(request)
        first, second = shown(request)
        yield Delta("thinking", "hm")
        yield Delta("answer", self.say(first, second, request))
        yield Delta("end", finished_by="stop", usage=Usage(10, 5))

    async def close(self) -> None:
        pass


def shown(request: Request) -> tuple[str, str]:
    """The two answers that a judge is shown."""
    text = request.turns[-1].message.text
    found = [re.search(rf"<answer_{side}>\n(.*?)\n</answer_{side}>", text, re.DOTALL) for side in "ab"]
    return tuple(match.group(1) if match else "" for match in found)  # type: ignore[return-value]


def as_json(rubric: Rubric, choice: str) -> str:
    return json.dumps(dict.fromkeys((*rubric.keys, "overall"), choice))


def knowing(rubric: Rubric, spoilt: set[str]) -> Say:
    """A good judge: knows every spoilt piece."""

    def say(first: str, second: str, request: Request) -> str:
        bad = [any(piece in text for piece in spoilt) for text in (first, second)]
        return as_json(rubric, "tie" if bad[0] == bad[1] else "B" if bad[0] else "A")

    return say


def first_place(rubric: Rubric) -> Say:
    return lambda first, second, request: as_json(rubric, "A")


def by_chance(rubric: Rubric) -> Say:
    generator = random.Random(3)
    return lambda first, second, request: as_json(rubric, generator.choice("AB"))


def garbage(first: str, second: str, request: Request) -> str:
    return "As a helpful assistant I would say that both answers, A and B, have their merits."
