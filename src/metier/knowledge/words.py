"""Words of questions: those that only say that something is asked, and what people say for what statutes say.

The lists are data (`words.yaml`), written from general knowledge of the law.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, cast

from metier.core.yamltext import parse_yaml


def asking(text: str) -> list[tuple[int, int]]:
    """Where words stand in a question that say only that something is asked."""
    return [match.span() for match in _asking().finditer(text)]


def legal_words(text: str) -> list[str]:
    """What statutes say for what a question says, without what stands in the question already."""
    found = [word for said, meant in _said().items() if said in text for word in meant]
    return [word for word in dict.fromkeys(found) if word not in text]


def in_legal_words(text: str) -> str:
    """A question with what people say put as statutes say it: `调休` becomes `补休`."""
    return _any_said().sub(lambda match: " ".join(_said()[match[0]]), text)


@cache
def _any_said() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(_said(), key=len, reverse=True))))


@cache
def _asking() -> re.Pattern[str]:
    return re.compile("|".join(sorted(str(_lists()["asking"]).split(), key=len, reverse=True)))


@cache
def _said() -> dict[str, list[str]]:
    return {said: meant.split() for said, meant in _lists()["said"].items()}


@cache
def _lists() -> dict[str, Any]:
    return cast("dict[str, Any]", parse_yaml(files("metier.knowledge").joinpath("words.yaml").read_text("utf-8")))
