"""A server that speaks OpenAI's protocol as vLLM does, at a set pace, without a model: for tests and measurements.

    python -m tests.support.upstream --tokens 500 --pace 100      prints its port, runs until it is killed

Written over plain sockets, so that its own cost stays small beside what is measured. With --stamped each token's text
is the moment it was sent, on the machine's monotonic clock, which the one who reads it can compare with his own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

MODEL = "paced"


@dataclass
class Script:
    """What the server says. pace: tokens a second, 0 for all at once; thinking: tokens as `reasoning_content` first;
    calls: tool calls instead of words; status: an error instead of an answer; break_after: tokens after which the
    connection is cut; words: the text of token i; models: what `/v1/models` lists, None for no such page."""

    tokens: int = 20
    pace: float = 0.0
    thinking: int = 0
    calls: tuple[tuple[str, str], ...] = ()
    status: int = 200
    error: str = "no"
    break_after: int | None = None
    words: Callable[[int], str] = "word{} ".format
    models: tuple[dict[str, Any], ...] | None = ({"id": MODEL, "object": "model", "max_model_len": 4096},)
    strict: bool = False
    headers: tuple[str, ...] = ()


@dataclass
class Upstream:
    """A running server: its address, and what it was asked. cut: answers that the other side gave up."""

    script: Script
    port: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    cut: list[float] = field(default_factory=list)
    open: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self) -> asyncio.Server:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, limit=2**24, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next((int(x[15:]) for x in head.lower().splitlines() if x.startswith("content-length:")), 0)
                body = await reader.readexactly(length)
                self.heads.append(head)
                await self._answer(head.split()[1], body, reader, writer)
        writer.close()

    async def _answer(self, path: str, body: bytes, reader: Any, writer: asyncio.StreamWriter) -> None:
        script = self.script
        if path == "/v1/models":
            listed = {"object": "list", "data": script.models}
            return _whole(writer, 200 if script.models is not None else 404, listed)
        asked = json.loads(body)
        self.asked.append(asked)
        if script.strict and {"top_k", "chat_template_kwargs", "stream_options", "seed"} & set(asked):
            return _whole(writer, 400, {"error": {"message": "Unrecognized request argument"}})
        if script.status != 200:
            return _whole(writer, script.status, {"error": {"message": script.error}})
        self.open += 1
        try:
            await self._stream(asked, writer)
        except ConnectionError:
            self.cut.append(time.monotonic())
            raise
        finally:
            self.open -= 1

    async def _stream(self, asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        script = self.script
        extra = "".join(f"{line}\r\n" for line in script.headers)
        kind = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
        writer.write(f"{kind}{extra}\r\n".encode())
        begun, total = time.monotonic(), script.thinking + script.tokens
        most = min(total, asked.get("max_tokens") or 16)
        for index in range(most):
            due = begun + (index + 1) / script.pace if script.pace else begun
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if writer.is_closing() or index == script.break_after:
                writer.transport.abort()
                raise ConnectionResetError
            kind = "reasoning_content" if index < script.thinking else "content"
            delta = {"role": "assistant"} if index == 0 else {}
            _event(writer, {**delta, kind: script.words(index)})
            await writer.drain()
        for place, (name, arguments) in enumerate(script.calls):
            half = len(arguments) // 2
            first = {"index": place, "id": f"c{place}", "type": "function", "function": {"name": name, "arguments": ""}}
            _event(writer, {"tool_calls": [first]})
            for part in (arguments[:half], arguments[half:]):
                _event(writer, {"tool_calls": [{"index": place, "function": {"arguments": part}}]})
        reason = "tool_calls" if script.calls else "length" if most < total else "stop"
        _event(writer, {}, finish_reason=reason)
        if (asked.get("stream_options") or {}).get("include_usage"):
            usage = {"prompt_tokens": 7, "completion_tokens": most, "total_tokens": 7 + most}
            _chunk(writer, {"id": "up-1", "model": MODEL, "choices": [], "usage": usage})
        writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")


def _event(writer: asyncio.StreamWriter, delta: dict[str, Any], finish_reason: str | None = None) -> None:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    _chunk(writer, {"id": "up-1", "object": "chat.completion.chunk", "model": MODEL, "choices": [choice]})


def _chunk(writer: asyncio.StreamWriter, event: dict[str, Any]) -> None:
    data = b"data: " + json.dumps(event).encode() + b"\n\n"
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


def _whole(writer: asyncio.StreamWriter, status: int, body: Any) -> None:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    writer.write(head.encode() + content)


@contextmanager
def upstream(**script: Any) -> Iterator[Upstream]:
    """A server in a thread of this process."""
    running, ready, ended = Upstream(Script(**script)), threading.Event(), threading.Event()

    async def run() -> None:
        server = await running.serve()
        ready.set()
        while not ended.is_set():
            await asyncio.sleep(0.01)
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    if not ready.wait(10):
        raise TimeoutError
    try:
        yield running
    finally:
        ended.set()
        thread.join(10)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--tokens", type=int, default=500)
    arguments.add_argument("--pace", type=float, default=100.0)
    arguments.add_argument("--stamped", action="store_true")
    given = arguments.parse_args()
    words = {"words": lambda _index: f"{time.monotonic():.6f} "} if given.stamped else {}

    async def run() -> None:
        running = Upstream(Script(tokens=given.tokens, pace=given.pace, **words))
        server = await running.serve()
        print(running.port, flush=True)  # noqa: T201
        await server.serve_forever()

    asyncio.run(run())


if __name__ == "__main__":
    main()
