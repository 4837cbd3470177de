"""A prompt within a number of tokens, and what that cost.

Oldest turns go first; system messages and the last user's turn stay. If that is not enough, the last user's text is cut
in its middle, where `[…]` is left to be seen: instructions tend to stand at its start, the question and its choices at
its end. Pictures go with their turn or stay whole: of a pictured turn the longest stretch of text is cut. Whatever was
dropped or cut is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from metier.data.messages import Message, TextPart, message

CUT = "\n[…]\n"
Render = Callable[[Sequence[Message]], tuple[str, list[int]]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The text and its ids; dropped_turns: user turns with their answers; truncated: tokens cut out of the last;
    messages: those that were kept, uncut."""

    text: str
    input_ids: list[int]
    dropped_turns: int
    truncated: int
    messages: Sequence[Message]


def fit(messages: Sequence[Message], budget: int | None, render: Render) -> Fitted:
    """`messages` rendered within `budget` tokens, or as short as can be (callers check the length)."""
    text, ids = render(messages)
    if budget is None or len(ids) <= budget:
        return Fitted(text, ids, 0, 0, messages)
    system = [turn for turn in messages if turn.role == "system"]
    turns = _turns([turn for turn in messages if turn.role != "system"])
    dropped = 0
    while len(ids) > budget and dropped < len(turns) - 1:
        dropped += 1
        text, ids = render([*system, *(one for turn in turns[dropped:] for one in turn)])
    kept = [*system, *(one for turn in turns[dropped:] for one in turn)]
    last = turns[-1] if turns else []
    if len(ids) <= budget or not last or last[0].role != "user" or not last[0].text:
        return Fitted(text, ids, dropped, 0, kept)
    whole = len(ids)
    text, ids = _cut_middle(system, last, budget, render)
    return Fitted(text, ids, dropped, whole - len(ids), kept)


def _turns(messages: Sequence[Message]) -> list[list[Message]]:
    """Messages grouped so that each group begins with a user's message."""
    turns: list[list[Message]] = []
    for one in messages:
        if one.role == "user" or not turns:
            turns.append([])
        turns[-1].append(one)
    return turns


def _cut_middle(
    system: Sequence[Message], turn: Sequence[Message], budget: int, render: Render
) -> tuple[str, list[int]]:
    """The most of the user's text that fits, as many characters from its start as from its end."""
    asked = turn[0] if turn[0].images else message("user", turn[0].text)
    texts = {at: part.text for at, part in enumerate(asked.parts) if isinstance(part, TextPart)}
    place = max(texts, key=lambda at: len(texts[at]))
    words = texts[place]

    def cut(kept: int) -> tuple[str, list[int]]:
        shorter = TextPart(words[: (kept + 1) // 2] + CUT + words[len(words) - kept // 2 :])
        parts = (*asked.parts[:place], shorter, *asked.parts[place + 1 :])
        return render([*system, Message("user", parts), *turn[1:]])

    low, high, best = 0, len(words), cut(0)
    while low < high:
        middle = (low + high + 1) // 2
        shorter = cut(middle)
        if len(shorter[1]) <= budget:
            low, best = middle, shorter
        else:
            high = middle - 1
    return best
