"""A model behind an OpenAI-compatible server (vLLM, SGLang, LightLLM, a hosted one), by address and key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any
from weakref import WeakKeyDictionary

import httpcore

from metier.core.errors import ModelError
from metier.engines.chatmodel import Delta, Request, Turn, Usage
from metier.engines.safefetch import CheckedNetwork, check_address
from metier.engines.serverstream import AnswerStream
from metier.engines.serverwords import plain_request, to_request

_CONNECT_SECONDS, _SILENT_SECONDS, _PROBE_SECONDS = 10.0, 180.0, 10.0
_MOST_PROBE_BYTES = 2_000_000
_MOST_ERROR_BYTES = 20_000
_MOST_STREAM_BYTES = 256_000_000
_FEWEST_TOKENS = 256


class ServerChatModel:
    """Asks a server.

    address: with or without `/v1`; key: sent as a bearer token, to this address only; model: its name there, empty for
    the first one listed; context_length: tokens, unless the server says its own; local: whether the address may lead to
    this machine and its network. Raises ConfigError for an address that is none.
    """

    can_call_tools = True
    can_follow_schema = True

    def __init__(
        self, address: str, key: str = "", model: str = "", *, context_length: int = 8192, local: bool = False
    ) -> None:
        parts = check_address(address, local=local)
        path = parts.path.rstrip("/").removesuffix("/chat/completions")
        self.base = f"{parts.scheme}://{parts.netloc}{path or '/v1'}"
        self.model = model
        self._context_length = context_length
        self._key = key
        self._local = local
        # Connections belong to the event loop that opened them.
        self._pools: WeakKeyDictionary[Any, httpcore.AsyncConnectionPool] = WeakKeyDictionary()
        # Tokens that the server counted for one that was estimated: learnt from its answers.
        self._ratio = 1.0

    @property
    def name(self) -> str:
        return self.model or self.base

    @property
    def context_length(self) -> int:
        return self._context_length

    def count(self, turns: Sequence[Turn]) -> int:
        """An estimate on the safe side; closer once the server has counted some."""
        return round(self._ratio * _estimate(turns))

    async def models(self) -> list[dict[str, Any]]:
        """The cards that the server lists; empty where it has no such page. Raises ModelError if it cannot be asked."""
        status, body = await self._get(f"{self.base}/models")
        if status in (404, 405, 501):
            return []
        if status != 200:
            raise _refusal(self.base, status, body)
        try:
            cards = json.loads(body)["data"]
            return [card for card in cards if isinstance(card, dict) and isinstance(card.get("id"), str)]
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError("engines.server_not_understood", address=self.base) from error

    async def probe(self) -> None:
        """Finds out the model's name and context length, where the server tells them.

        Raises ModelError if the server does not answer, or has not the model.
        """
        cards = await self.models()
        if not cards:
            self.model = self.model or "default"
            return
        card = next((one for one in cards if one["id"] == self.model or not self.model), None)
        if card is None:
            known = ", ".join(one["id"] for one in cards[:20])
            raise ModelError("engines.server_no_model", address=self.base, model=self.model, known=known)
        self.model = card["id"]
        length = card.get("max_model_len") or card.get("context_length")
        if isinstance(length, int) and length > 0:
            self._context_length = length

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """The answer as it comes. Closing it closes the connection, which makes the server stop.

        Raises ModelError where the server cannot be reached, refuses, or breaks off.
        """
        async with aclosing(self.batches(request)) as batches:
            async for batch in batches:
                for delta in batch:
                    yield delta

    async def batches(self, request: Request) -> AsyncGenerator[list[Delta], None]:
        """The same, with what came together still together: passing it on costs less."""
        if not self.model:
            await self.probe()
        estimated = _estimate(request.turns)
        room = self._context_length - round(self._ratio * estimated)
        most = max(min(request.sampling.max_new_tokens, room), min(request.sampling.max_new_tokens, _FEWEST_TOKENS))
        asked = to_request(request, self.model, max_tokens=most)
        answer = AnswerStream(self.base)
        async with aclosing(self._post(asked)) as chunks:
            async for chunk in chunks:
                if batch := list(answer.push(chunk)):
                    yield batch
                if answer.done:
                    break
        yield list(answer.finish(Usage(self.count(request.turns), answer.pieces)))
        if answer.prompt_tokens:
            self._ratio = max(0.2, min(4.0, 1.1 * answer.prompt_tokens / estimated))

    async def embed(self, texts: Sequence[str]) -> tuple[list[list[float]], int]:
        """A vector a text, and the tokens that the server counted. Raises ModelError as `stream` does."""
        if not self.model:
            await self.probe()
        body = json.dumps({"model": self.model, "input": list(texts), "encoding_format": "float"}).encode()
        async with self._sent("POST", f"{self.base}/embeddings", body) as response:
            told = await _whole(response, _MOST_STREAM_BYTES, self.base)
        if response.status != 200:
            raise _refusal(self.base, response.status, told)
        try:
            said = json.loads(told)
            rows = sorted(said["data"], key=lambda row: row["index"])
            vectors = [[float(number) for number in row["embedding"]] for row in rows]
            tokens = int((said.get("usage") or {}).get("prompt_tokens") or 0)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError("engines.server_not_understood", address=self.base) from error
        if len(vectors) != len(texts):
            raise ModelError("engines.server_not_understood", address=self.base)
        return vectors, tokens

    async def close(self) -> None:
        for pool in list(self._pools.values()):
            await pool.aclose()
        self._pools.clear()

    def _pool(self) -> httpcore.AsyncConnectionPool:
        loop = asyncio.get_running_loop()
        if loop not in self._pools:
            self._pools[loop] = httpcore.AsyncConnectionPool(
                max_connections=None,
                max_keepalive_connections=20,
                keepalive_expiry=30,
                network_backend=CheckedNetwork(local=self._local),
            )
        return self._pools[loop]

    def _headers(self) -> list[tuple[bytes, bytes]]:
        # No compression: what comes is counted as it comes.
        headers = [(b"Accept-Encoding", b"identity"), (b"User-Agent", b"metier")]
        if self._key:
            headers.append((b"Authorization", b"Bearer " + self._key.encode()))
        return headers

    async def _post(self, asked: dict[str, Any]) -> AsyncGenerator[bytes, None]:
        """The bytes of a streamed answer. What a strict server does not know is left out the second time."""
        for last, body in ((False, asked), (True, plain_request(asked))):
            async with self._sent("POST", f"{self.base}/chat/completions", json.dumps(body).encode()) as response:
                if response.status == 200:
                    async for chunk in _counted(response, _MOST_STREAM_BYTES, self.base):
                        yield chunk
                    return
                told = await _whole(response, _MOST_ERROR_BYTES, self.base)
                if last or response.status not in (400, 422) or body == plain_request(body):
                    raise _refusal(self.base, response.status, told)

    async def _get(self, url: str) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(_PROBE_SECONDS), self._sent("GET", url) as response:
                return response.status, await _whole(response, _MOST_PROBE_BYTES, self.base)
        except TimeoutError as error:
            raise ModelError("engines.server_unreachable", address=self.base, problem=_kind(error)) from error

    def _sent(self, method: str, url: str, body: bytes | None = None) -> _Sent:
        timeouts = {"connect": _CONNECT_SECONDS, "read": _SILENT_SECONDS, "write": 30.0, "pool": 10.0}
        headers = [*self._headers(), *([(b"Content-Type", b"application/json")] if body is not None else [])]
        stream = self._pool().stream(method, url, headers=headers, content=body, extensions={"timeout": timeouts})
        return _Sent(stream, self.base)


class _Sent:
    """A request on its way, whose failures are told as ours."""

    def __init__(self, stream: Any, address: str) -> None:
        self._stream = stream
        self._address = address

    async def __aenter__(self) -> httpcore.Response:
        try:
            response: httpcore.Response = await self._stream.__aenter__()
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            raise ModelError("engines.server_unreachable", address=self._address, problem=_kind(error)) from error
        if any(name.lower() == b"content-encoding" and value != b"identity" for name, value in response.headers):
            raise ModelError("engines.server_not_understood", address=self._address)
        return response

    async def __aexit__(self, *raised: Any) -> bool | None:
        return await self._stream.__aexit__(*raised)  # type: ignore[no-any-return]


async def _counted(response: httpcore.Response, most: int, address: str) -> AsyncIterator[bytes]:
    """The body's bytes, up to a limit. Raises ModelError beyond it, or where the connection breaks."""
    try:
        async for chunk in response.aiter_stream():
            most -= len(chunk)
            if most < 0:
                raise ModelError("engines.server_too_much", address=address)
            yield chunk
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
        raise ModelError("engines.server_broke_off", address=address, problem=_kind(error)) from error


async def _whole(response: httpcore.Response, most: int, address: str) -> bytes:
    async with aclosing(_counted(response, most, address)) as chunks:  # type: ignore[type-var]
        return b"".join([chunk async for chunk in chunks])


def _refusal(address: str, status: int, body: bytes) -> ModelError:
    """What a server's error answer means. Its own words are kept in the field `problem`."""
    try:
        told = json.loads(body)
        told = told.get("error", told) if isinstance(told, dict) else told
        problem = str(told.get("message", told) if isinstance(told, dict) else told)
    except ValueError:
        problem = body.decode("utf-8", "replace")
    problem = f"{status} {problem.strip()[:300]}"
    if 300 <= status < 400:
        return ModelError("engines.server_redirects", address=address)
    if status in (401, 403):
        return ModelError("engines.server_key", address=address)
    if status in (429, 503):
        return ModelError("engines.server_busy", address=address, problem=problem)
    return ModelError("engines.server_refused", address=address, problem=problem)


def _kind(error: BaseException) -> str:
    return type(error).__name__


def _estimate(turns: Sequence[Turn]) -> float:
    """Tokens of a conversation: a third of its ASCII characters, and one and a half for each other one."""
    total = 8.0
    for turn in turns:
        text = turn.message.text + "".join(call.name + call.arguments for call in turn.calls)
        plain = sum(character < "\x80" for character in text)
        total += 8 + plain / 3 + 1.5 * (len(text) - plain)
    return total
