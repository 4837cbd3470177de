"""The seam between what holds a conversation and what answers: the embedded engine or a server, asked alike.

`Engine` (see `base`) works on prompts of token ids and gives training, prediction and parity what they need. A
`ChatModel` works on messages: what specialists, the gateway, judges and query rewriting ask. Asynchronous, since a
server waits for many answers at once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from metier.data.messages import Message
from metier.engines.sampling import Sampling

FinishedBy = Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool that a model may call. parameters: JSON schema of its arguments."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model asks for. arguments: JSON text as the model wrote it, not yet checked."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of a conversation with tools: what `Message` cannot say. calls: of an assistant; call_id: of a tool's
    result."""

    message: Message
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked.

    turns: the conversation, the system prompt first; tools: what it may call; tool_choice: as OpenAI's API names it;
    schema: a JSON schema the answer must follow, refused by models that cannot; enable_thinking: None leaves it to the
    model.
    """

    turns: tuple[Turn, ...]
    sampling: Sampling = field(default_factory=Sampling)
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str | dict[str, Any] = "auto"
    schema: dict[str, Any] | None = None
    enable_thinking: bool | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the engine counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer. kind: `thinking`, `answer`, `call` (one whole call), `notice` (to the user, not part of
    the answer), or `end` (the last piece, with finished_by and usage)."""

    kind: Literal["thinking", "answer", "call", "notice", "end"]
    text: str = ""
    call: ToolCall | None = None
    finished_by: FinishedBy | None = None
    usage: Usage | None = None


class ChatModel(Protocol):
    """Answers conversations. One object may be asked several things at once."""

    @property
    def name(self) -> str:
        """What it calls itself, for reports."""

    @property
    def context_length(self) -> int:
        """Tokens that prompt and answer may have together."""

    @property
    def can_call_tools(self) -> bool:
        """Whether its template or server knows tools."""

    @property
    def can_follow_schema(self) -> bool:
        """Whether it can be held to a JSON schema."""

    def count(self, turns: Sequence[Turn]) -> int:
        """Tokens of a conversation as the model sees it; an upper estimate where only the server knows."""

    def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """The answer, piece by piece, the last one of kind `end`. Closing it stops generation."""

    async def close(self) -> None:
        """Frees what it holds."""


async def whole_answer(model: ChatModel, request: Request) -> str:
    """The words of an answer once it is whole, without its thinking. Raises what the model raises."""
    told: list[str] = []
    async with aclosing(model.stream(request)) as deltas:
        async for delta in deltas:
            if delta.kind == "answer":
                told.append(delta.text)
    return "".join(told)
