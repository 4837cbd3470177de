"""What a reviewer says, turned between what was seen on the left and right and what it means."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Literal

from metier.workbench.store.tables import Review

Choice = Literal["left", "right", "tie", "bad"]
CHOICES: tuple[Choice, ...] = ("left", "right", "tie", "bad")


def turned(review: Review, reviewer_id: str, place: int) -> bool:
    """Whether this reviewer sees this row's answers the other way round."""
    drawn = f"{review.setup['salt']}:{review.setup['seed']}:{reviewer_id}:{place}"
    return bool(hashlib.sha256(drawn.encode()).digest()[0] & 1)


def meaning(choice: Choice, turned: bool) -> str:
    """What a choice means, whoever saw the answers in which order: as it is kept."""
    if choice == "tie":
        return "both"
    if choice == "bad":
        return "neither"
    return "base" if (choice == "left") != turned else "tuned"


def shown_choice(means: str, turned: bool) -> Choice:
    """What is kept, as this reviewer said it."""
    named: Mapping[str, Choice] = {"both": "tie", "neither": "bad"}
    if means in named:
        return named[means]
    return "left" if (means == "base") != turned else "right"


def of_each(values: Mapping[str, Any], turn: Callable[[Any, bool], Any], turned: bool) -> dict[str, Any]:
    """The choices of all dimensions, turned like the whole."""
    return {key: turn(value, turned) for key, value in values.items()}
