"""A chat model that says what a test wrote down, in small pieces, as a server would send them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from metier.engines.chatmodel import Delta, Request, ToolCall, Turn, Usage

Script = str | ToolCall | Callable[[Request], str]


@dataclass
class ScriptedModel:
    """Answers the n-th request with the n-th line of its script. A ToolCall is called; a function sees the request.

    `asked` keeps the requests; `closed` tells that an answer was stopped before its end.
    """

    script: Sequence[Script]
    thinking: str = ""
    name: str = "scripted"
    context_length: int = 8192
    can_call_tools: bool = False
    can_follow_schema: bool = False
    asked: list[Request] = field(default_factory=list)
    closed: bool = False

    def count(self, turns: Sequence[Turn]) -> int:
        """A token a character."""
        return sum(len(turn.message.text) + 4 for turn in turns)

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        line = self.script[min(len(self.asked), len(self.script) - 1)]
        self.asked.append(request)
        whole = False
        try:
            if self.thinking:
                yield Delta("thinking", self.thinking)
            if isinstance(line, ToolCall):
                yield Delta("call", call=line)
            else:
                text = line if isinstance(line, str) else line(request)
                for start in range(0, len(text), 3):
                    yield Delta("answer", text[start : start + 3])
            finished = "tool_calls" if isinstance(line, ToolCall) else "stop"
            yield Delta("end", finished_by=finished, usage=Usage(self.count(request.turns), 10))
            whole = True
        finally:
            self.closed = self.closed or not whole

    async def close(self) -> None:
        """Nothing to free."""
