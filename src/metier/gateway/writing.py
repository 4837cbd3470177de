"""Pieces of an answer as OpenAI's objects: whole, or as Server-Sent Events."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from typing import Any, Literal, Protocol

from metier.engines.chatmodel import Delta, ToolCall, Usage
from metier.gateway.catalogue import Cited, Piece

DONE = b"data: [DONE]\n\n"


class Writer(Protocol):
    """Writes one answer."""

    def opening(self) -> bytes:
        """What stands before the first piece of a stream."""

    def events(self, pieces: Sequence[Piece]) -> bytes:
        """Pieces as events, all in one."""

    def gather(self, pieces: Sequence[Piece]) -> None:
        """Takes pieces of an answer that is sent as a whole."""

    def whole(self) -> dict[str, Any]:
        """The whole answer of what was gathered."""


class ChatWriter:
    """Chat completions. model: the name that was asked; usage: whether a last event counts the tokens."""

    def __init__(self, model: str, *, usage: bool) -> None:
        self.id = f"chatcmpl-{secrets.token_hex(12)}"
        self._model = model
        self._usage = usage
        self._created = int(time.time())
        # An event a token: what they have in common is written once.
        head = {"id": self.id, "object": "chat.completion.chunk", "created": self._created, "model": model}
        self._head = b"data: " + json.dumps(head)[:-1].encode() + b', "choices": ['
        self._answer = self._head + b'{"index": 0, "delta": {"content": '
        self._thinking = self._head + b'{"index": 0, "delta": {"reasoning_content": '
        self._calls = 0
        self._kept = _Kept()

    def opening(self) -> bytes:
        return self._event({"role": "assistant", "content": ""})

    def events(self, pieces: Sequence[Piece]) -> bytes:
        return b"".join([self._written(piece) for piece in pieces])

    def _written(self, piece: Piece) -> bytes:
        if isinstance(piece, Cited):
            return self._event(_cited(piece))
        if piece.kind == "answer":
            return self._answer + json.dumps(piece.text).encode() + _TAIL
        if piece.kind == "thinking":
            return self._thinking + json.dumps(piece.text).encode() + _TAIL
        if piece.call is not None:
            call = {"index": self._calls, **_call(piece.call)}
            self._calls += 1
            return self._event({"tool_calls": [call]})
        if piece.kind == "notice":
            return self._event({"metier": {"notices": [piece.text]}})
        last = self._event({}, piece.finished_by or "stop")
        if self._usage:
            last += self._head + b'], "usage": ' + json.dumps(_usage(piece.usage)).encode() + b"}\n\n"
        return last + DONE

    def _event(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._head + json.dumps(choice, ensure_ascii=False).encode("utf-8", "replace") + b"]}\n\n"

    def gather(self, pieces: Sequence[Piece]) -> None:
        self._kept.take(pieces)

    def whole(self) -> dict[str, Any]:
        kept = self._kept
        said: dict[str, Any] = {"role": "assistant", "content": kept.text, "refusal": None, **_cited(kept.cited)}
        if kept.thinking:
            said["reasoning_content"] = kept.thinking
        if kept.calls:
            said["tool_calls"] = [_call(call) for call in kept.calls]
            said["content"] = kept.text or None
        choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": kept.finished_by}
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self._created,
            "model": self._model,
            "choices": [choice],
            "usage": _usage(kept.usage),
        }


class TextWriter:
    """Text completions: the answer's text alone."""

    def __init__(self, model: str, *, usage: bool) -> None:
        self._usage = usage
        self._head = {
            "id": f"cmpl-{secrets.token_hex(12)}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": model,
        }
        self._kept = _Kept()

    def opening(self) -> bytes:
        return b""

    def events(self, pieces: Sequence[Piece]) -> bytes:
        return b"".join([self._written(piece) for piece in pieces])

    def _written(self, piece: Piece) -> bytes:
        if isinstance(piece, Cited) or piece.kind not in ("answer", "end"):
            return b""
        if piece.kind == "answer":
            return self._event([self._choice(piece.text, None)])
        last = self._event([self._choice("", piece.finished_by or "stop")])
        return last + (self._event([], usage=_usage(piece.usage)) if self._usage else b"") + DONE

    def _event(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        return b"data: " + json.dumps({**self._head, "choices": choices, **more}).encode() + b"\n\n"

    def _choice(self, text: str, finish: str | None) -> dict[str, Any]:
        return {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}

    def gather(self, pieces: Sequence[Piece]) -> None:
        self._kept.take(pieces)

    def whole(self) -> dict[str, Any]:
        choice = self._choice(self._kept.text, self._kept.finished_by)
        return {**self._head, "choices": [choice], "usage": _usage(self._kept.usage)}


class _Kept:
    """An answer so far."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {"answer": [], "thinking": []}
        self.calls: list[ToolCall] = []
        self.cited = Cited()
        self.finished_by: Literal["stop", "length", "tool_calls"] = "stop"
        self.usage: Usage | None = None

    @property
    def text(self) -> str:
        return "".join(self._texts["answer"])

    @property
    def thinking(self) -> str:
        return "".join(self._texts["thinking"])

    def take(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            if isinstance(piece, Cited):
                self.cited = _joined(self.cited, piece)
            elif piece.kind in self._texts:
                self._texts[piece.kind].append(piece.text)
            elif piece.call is not None:
                self.calls.append(piece.call)
            elif piece.kind == "notice":
                self.cited = _joined(self.cited, Cited(details={"notices": [piece.text]}))
            else:
                self._end(piece)

    def _end(self, piece: Delta) -> None:
        self.finished_by, self.usage = piece.finished_by or "stop", piece.usage


_TAIL = b'}, "logprobs": null, "finish_reason": null}]}\n\n'


def _joined(first: Cited, second: Cited) -> Cited:
    notices = [*first.details.get("notices", ()), *second.details.get("notices", ())]
    told = {**first.details, **second.details, **({"notices": notices} if notices else {})}
    return Cited((*first.annotations, *second.annotations), told)


def _cited(cited: Cited) -> dict[str, Any]:
    told: dict[str, Any] = {"annotations": list(cited.annotations)} if cited.annotations else {}
    return {**told, "metier": cited.details} if cited.details else told


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _usage(usage: Usage | None) -> dict[str, int]:
    counted = usage or Usage()
    return {
        "prompt_tokens": counted.prompt_tokens,
        "completion_tokens": counted.completion_tokens,
        "total_tokens": counted.prompt_tokens + counted.completion_tokens,
    }
