"""Asking a specialist in a test, from conversation to whole answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from metier.data.messages import message
from metier.engines.chatmodel import ChatModel, Turn
from metier.specialists.answering import answer
from metier.specialists.evidence import Answer, AnswerPiece
from metier.specialists.spec import Specialist
from tests.support.knowledge import RULES_OF_WORK


def conversation(*said: str) -> list[Turn]:
    """User and assistant by turns, the user first."""
    return [Turn(message("assistant" if index % 2 else "user", text)) for index, text in enumerate(said)]


def pieces(
    *said: str,
    model: ChatModel | None = None,
    knowledge: Mapping[str, Any] | None = None,
    tools: Sequence[str] | None = None,
    language: str = "zh",
    names: Sequence[str] = ("rules",),
    **fields: Any,
) -> list[AnswerPiece]:
    """Everything that an answer sends. names: of the bases that the specialist may search."""
    specialist = Specialist(**{"name": "trial", "knowledge": names, **fields})
    bases = {"rules": RULES_OF_WORK} if knowledge is None else knowledge

    async def collect() -> list[AnswerPiece]:
        stream = answer(
            specialist,
            "v1",
            conversation(*said),
            model=model,
            knowledge=bases,
            tools=tools,
            language=language,  # type: ignore[arg-type]
            today=date(2026, 11, 28),
        )
        return [piece async for piece in stream]

    return asyncio.run(collect())


def ask(*said: str, **fields: Any) -> Answer:
    """The whole answer."""
    whole = pieces(*said, **fields)[-1].answer
    assert whole is not None
    return whole
