"""A server's streamed answer: bytes of Server-Sent Events → pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from metier.core.errors import ModelError
from metier.engines.chatmodel import Delta, FinishedBy, ToolCall, Usage
from metier.engines.thinking import ThinkingStream

_LONGEST_LINE = 4_000_000
_MOST_CALLS = 128


class AnswerStream:
    """Takes bytes as they come. address: the server's, for errors; pieces: how many it has sent, which is nearly its
    tokens; done: whether the server has said that this is all."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.done = False
        self.pieces = 0
        self.prompt_tokens = 0
        self._held = b""
        self._thinking: ThinkingStream | None = ThinkingStream()
        self._calls: dict[int, dict[str, str]] = {}
        self._finished_by: FinishedBy | None = None
        self._usage: Usage | None = None

    def push(self, chunk: bytes) -> Iterator[Delta]:
        """The pieces that became whole. Raises ModelError for an error that the server sends within its answer."""
        lines = (self._held + chunk).split(b"\n")
        self._held = lines.pop()
        if len(self._held) > _LONGEST_LINE:
            raise ModelError("engines.server_too_much", address=self.address)
        for line in lines:
            if line.startswith(b"data:"):
                data = line[5:].strip()
                if data == b"[DONE]":
                    self.done = True
                    return
                yield from self._event(data)

    def finish(self, counted: Usage) -> Iterator[Delta]:
        """What was held back, the tool calls, and the end. counted: our own count, where the server sent none.

        Raises ModelError where the answer broke off before its end.
        """
        if not self.done and self._finished_by is None:
            raise ModelError("engines.server_broke_off", address=self.address, problem="EOF")
        yield from self._split("", final=True)
        for index in sorted(self._calls):
            call = self._calls[index]
            yield Delta("call", call=ToolCall(call["id"] or f"call_{index}", call["name"], call["arguments"]))
        ended: FinishedBy = "tool_calls" if self._calls else self._finished_by or "stop"
        yield Delta("end", finished_by=ended, usage=self._usage or counted)

    def _event(self, data: bytes) -> Iterator[Delta]:
        try:
            event = _whole(json.loads(data))
            if error := event.get("error"):
                problem = error.get("message", error) if isinstance(error, dict) else error
                raise ModelError("engines.server_refused", address=self.address, problem=str(problem)[:300])
            self._count(event.get("usage"))
            for choice in event.get("choices") or ():
                yield from self._choice(choice)
        except (ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
            raise ModelError("engines.server_not_understood", address=self.address) from error

    def _choice(self, choice: dict[str, Any]) -> Iterator[Delta]:
        delta = choice.get("delta") or {}
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if thought:
            self.pieces += 1
            self._thinking = None
            yield Delta("thinking", thought)
        text = delta.get("content")
        if text:
            self.pieces += 1
            yield from self._split(text)
        for call in delta.get("tool_calls") or ():
            self._gather(call)
        reason = choice.get("finish_reason")
        if reason:
            self._finished_by = "length" if reason == "length" else "stop"

    def _split(self, text: str, *, final: bool = False) -> Iterator[Delta]:
        """Text in which thinking may still stand between tags: only servers without a reasoning parser send that."""
        if self._thinking is None:
            if text:
                yield Delta("answer", text)
            return
        for kind, part in self._thinking.finish() if final else self._thinking.push(text):
            yield Delta(kind, part)
        if self._thinking.answering:
            self._thinking = None

    def _gather(self, part: dict[str, Any]) -> None:
        """Adds a piece of a tool call to what came of it before."""
        index = int(part.get("index", len(self._calls)))
        if index not in self._calls and len(self._calls) >= _MOST_CALLS:
            raise ModelError("engines.server_too_much", address=self.address)
        call = self._calls.setdefault(index, {"id": "", "name": "", "arguments": ""})
        function = part.get("function") or {}
        call["id"] = part.get("id") or call["id"]
        call["name"] = call["name"] or function.get("name") or ""
        call["arguments"] += function.get("arguments") or ""
        self.pieces += 1

    def _count(self, usage: dict[str, Any] | None) -> None:
        if usage:
            self.prompt_tokens = int(usage.get("prompt_tokens") or 0)
            self._usage = Usage(self.prompt_tokens, int(usage.get("completion_tokens") or 0))


def _whole(value: Any) -> Any:
    """A value of JSON whose texts are whole: a server that cuts a character in two sends halves of it."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_whole(name): _whole(one) for name, one in value.items()}
    return [_whole(one) for one in value] if isinstance(value, list) else value
