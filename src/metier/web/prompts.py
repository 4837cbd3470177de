"""A rendered prompt as its turns, for people: the marks of chat templates are left out, whichever they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|</?(?:start|end)_of_turn>|<\uff5c[^<>\n]{1,40}\uff5c>|\[/?INST\]|</?think>|</?s>"
)
_ROLE = re.compile(r"\s*(system|user|assistant|model|tool)\s*(?:\n|\Z)", re.IGNORECASE)


@dataclass(frozen=True)
class Turn:
    """role: `system`, `user`, `assistant`, `tool`, or `` where the template does not say."""

    role: str
    text: str


def turns_of(prompt: str) -> list[Turn]:
    """The turns of a prompt; a prompt without known marks is one turn."""
    turns: list[Turn] = []
    role = ""
    for part in _MARK.split(prompt):
        if named := _ROLE.match(part):
            role = {"model": "assistant"}.get(named[1].lower(), named[1].lower())
            part = part[named.end() :]
        if part.strip():
            turns.append(Turn(role, part.strip()))
            role = ""
    return turns


def question_of(prompt: str) -> str:
    """The last thing that was asked."""
    turns = [turn for turn in turns_of(prompt) if turn.role not in ("assistant", "system")]
    return turns[-1].text if turns else prompt.strip()
