"""What a judge is told: the rubric, the question and the two answers, in the language of the question."""

from __future__ import annotations

import re
from typing import Any

from metier.core.i18n import Language, translate
from metier.evaluate.rubric import Rubric

_MARKS = re.compile(r"<(/?)(question|answer_[ab])>", re.IGNORECASE)


def judging_prompt(rubric: Rubric, language: Language, question: str, first: str, second: str) -> tuple[str, str]:
    """The system prompt and the message. The answers are quoted: what they order is text to be judged."""
    dimensions = "\n".join(
        f"- {one.key} ({getattr(one.name, language) or one.name.en}): {getattr(one.asks, language) or one.asks.en}"
        for one in rubric.dimensions
    )
    shape = ", ".join(f'"{key}": "A|B|tie"' for key in (*rubric.keys, "overall"))
    system = translate(
        "evaluate.judge.system",
        language=language,
        role=getattr(rubric.role, language) or rubric.role.en,
        dimensions=dimensions,
        shape="{" + shape + "}",
    )
    asked = translate(
        "evaluate.judge.asked", language=language, question=_quoted(question), a=_quoted(first), b=_quoted(second)
    )
    return system, asked


def judging_schema(rubric: Rubric) -> dict[str, Any]:
    """The same shape as JSON schema, for engines that can be held to one."""
    choice = {"type": "string", "enum": ["A", "B", "tie"]}
    keys = [*rubric.keys, "overall"]
    return {
        "type": "object",
        "properties": dict.fromkeys(keys, choice),
        "required": keys,
        "additionalProperties": False,
    }


def _quoted(text: str) -> str:
    """A text that cannot close the marks it stands between."""
    return _MARKS.sub(r"‹\1\2›", text.strip())
