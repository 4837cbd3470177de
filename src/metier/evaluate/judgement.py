"""Reading what a judge wrote: JSON where it kept to it, else plain words. Nothing is guessed: what says both, or
nothing, is unreadable."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from metier.evaluate.rubric import Rubric

Reading = Literal["first", "second", "tie", "unreadable"]
OVERALL = "overall"
_CHOICES: dict[str, Reading] = {
    "a": "first", "answer a": "first", "回答a": "first", "a更好": "first", "a is better": "first", "first": "first",
    "b": "second", "answer b": "second", "回答b": "second", "b更好": "second", "b is better": "second",
    "second": "second",
    "tie": "tie", "equal": "tie", "both": "tie", "neither": "tie", "平": "tie", "平手": "tie", "相当": "tie",
    "一样": "tie", "同等": "tie",
}  # fmt: skip
_WORDS = re.compile(
    r"(?:overall|verdict|winner|better answer|总评|总体|综合|结论|更好的(?:回答)?(?:是)?)"
    r"[\s*_\"'“”]*[:：是为]?[\s*_\"'“”\[【(]*"
    r"((?:answer\s*|回答\s*)?[AB](?![A-Za-z])|tie|equal|平手|相当|一样)",
    re.IGNORECASE,
)
_LONGEST = 20_000
_DEEPEST = 3  # braces around a verdict: {"dimensions": {"basis": {"winner": "A"}}}
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?')


@dataclass(frozen=True, slots=True)
class Judgement:
    """overall: which of the two answers is better; dimensions: the same where the judge said so."""

    overall: Reading
    dimensions: dict[str, Reading] = field(default_factory=dict)


def read_judgement(text: str, rubric: Rubric) -> Judgement:
    """What a judge's text says. Never raises: a text without a verdict reads as `unreadable`."""
    text = text[:_LONGEST]
    for found in _objects(text):
        if OVERALL in found:
            inner = found.get("dimensions")
            named = inner if isinstance(inner, dict) else found
            dimensions = {key: _choice(named[key]) for key in rubric.keys if key in named}
            return Judgement(_choice(found[OVERALL]), dimensions)
    said = {_choice(match.group(1)) for match in _WORDS.finditer(text)} or {_choice(text.strip())}
    return Judgement(said.pop() if len(said) == 1 else "unreadable")


def is_settled(text: str) -> bool:
    """Whether reading on is of no use: the text is a whole object, or is nested deeper than any verdict."""
    depth, deepest = 0, 0
    bare = _STRING.sub("", text)
    for letter in bare:
        depth += (letter == "{") - (letter == "}")
        deepest = max(deepest, depth)
    return deepest > _DEEPEST or (bare.lstrip().startswith("{") and depth == 0)


def _choice(value: Any) -> Reading:
    if isinstance(value, dict):
        value = value.get("winner", value.get("better"))
    if not isinstance(value, str):
        return "unreadable"
    plain = re.sub(r"[\s\"'“”.。*]+", " ", value).strip().casefold()
    return _CHOICES.get(plain) or _CHOICES.get(plain.replace(" ", "")) or "unreadable"


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text, the last one first: what was thought aloud stands before the verdict."""
    decoder = json.JSONDecoder()
    for place in reversed([match.start() for match in re.finditer(r"\{", text)]):
        try:
            found, _ = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found
