"""The routes of the protocol over a catalogue. The workbench mounts them beside its own; `metier serve` alone."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from metier.engines.chatmodel import Request as Asked
from metier.engines.sampling import Sampling
from metier.gateway.bounds import MOST_BODY_BYTES, Gate, Limits
from metier.gateway.catalogue import Catalogue, ModelCard, Piece, Served
from metier.gateway.errors import GatewayError, error_response, refusal, unknown_model
from metier.gateway.protocol import ChatBody, CompletionBody, EmbeddingBody, parse
from metier.gateway.replying import Reply
from metier.gateway.writing import ChatWriter, TextWriter, Writer

_BODY_SECONDS = 30.0
Handler = Callable[[Request, str, str], Awaitable[Response]]


def gateway_router(catalogue: Catalogue, limits: Limits | None = None) -> APIRouter:
    """The routes below `/v1`. limits: how much one caller may have open."""
    api = _Api(catalogue, Gate(limits or Limits()))
    router = APIRouter(prefix="/v1", tags=["openai"])
    for path, handler, method in (
        ("/models", api.models, "GET"),
        ("/models/{model:path}", api.model, "GET"),
        ("/chat/completions", api.chat, "POST"),
        ("/completions", api.completions, "POST"),
        ("/embeddings", api.embeddings, "POST"),
    ):
        router.add_api_route(path, api.guarded(handler), methods=[method], response_model=None)
    return router


class _Api:
    """The handlers: each gets the request, who asks, and the request's id."""

    def __init__(self, catalogue: Catalogue, gate: Gate) -> None:
        self.catalogue = catalogue
        self.gate = gate

    def guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """A handler behind the question who asks, whose errors are told in OpenAI's shape."""

        async def answer(request: Request) -> Response:
            request_id = f"req_{token_hex(12)}"
            try:
                return await handler(request, await self.catalogue.caller(_key(request)), request_id)
            except Exception as error:  # the boundary of a request
                return error_response(refusal(error), request_id)

        answer.__name__ = handler.__name__
        return answer

    async def models(self, _request: Request, caller: str, _request_id: str) -> Response:
        """What the caller may ask."""
        cards = await self.catalogue.cards(caller)
        return JSONResponse({"object": "list", "data": [_card(card) for card in cards]})

    async def model(self, request: Request, caller: str, _request_id: str) -> Response:
        """One of them."""
        name = request.path_params["model"]
        for card in await self.catalogue.cards(caller):
            if card.id == name:
                return JSONResponse(_card(card))
        raise unknown_model(name)

    async def chat(self, request: Request, caller: str, request_id: str) -> Response:
        """A conversation's next answer."""
        body = parse(ChatBody, await _body(request))
        body.request(Sampling())  # what is wrong is told before anything is loaded
        if (schema := body.schema_asked) is not None:
            self.gate.admit_schema(caller, schema)
        writer = ChatWriter(body.model, usage=bool(body.stream_options and body.stream_options.include_usage))
        return self._reply(request, caller, body, writer, request_id)

    async def completions(self, request: Request, caller: str, request_id: str) -> Response:
        """What follows a prompt."""
        body = parse(CompletionBody, await _body(request))
        writer = TextWriter(body.model, usage=bool(body.stream_options and body.stream_options.include_usage))
        return self._reply(request, caller, body, writer, request_id)

    async def embeddings(self, request: Request, caller: str, _request_id: str) -> Response:
        """Texts as vectors."""
        body = parse(EmbeddingBody, await _body(request))
        with self.gate.entered(caller):
            async with self.catalogue.embedder(caller, body.model) as embedder:
                vectors, tokens = await embedder.embed(body.texts)
        rows = [
            {"object": "embedding", "index": index, "embedding": _vector(vector, body.encoding_format)}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return JSONResponse({"object": "list", "data": rows, "model": body.model, "usage": usage})

    def _reply(
        self, request: Request, caller: str, body: ChatBody | CompletionBody, writer: Writer, request_id: str
    ) -> Reply:
        key = _key(request)

        @asynccontextmanager
        async def begin() -> AsyncIterator[AsyncGenerator[Sequence[Piece], None]]:
            with self.gate.entered(caller):
                async with self.catalogue.open(caller, body.model) as served:
                    yield served.stream(_fitting(body.request(served.sampling), served, body.most_tokens))

        return Reply(begin, writer, lambda: self.catalogue.caller(key), stream=body.stream, request_id=request_id)


def _fitting(asked: Asked, served: Served, most_tokens: int | None) -> Asked:
    """The request, if its answer can be as long as asked. Raises GatewayError else."""
    context = served.context_length
    if context is not None and most_tokens is not None and most_tokens > context:
        raise GatewayError("gateway.too_many_tokens", param="max_tokens", asked=most_tokens, context=context)
    return asked


async def _body(request: Request) -> bytes:
    """The body, up to its bound, within its time. Raises GatewayError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise GatewayError("gateway.not_json", status=415)
    if request.headers.get("content-encoding", "identity") != "identity":
        raise GatewayError("gateway.compressed", status=415)
    found = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                found += chunk
                if len(found) > MOST_BODY_BYTES:
                    raise GatewayError("gateway.too_large", status=413, most=MOST_BODY_BYTES)
    except TimeoutError:
        raise GatewayError("gateway.slow_body", status=408) from None
    return bytes(found)


def _key(request: Request) -> str:
    """The key of a request: a bearer token, and nothing else."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _card(card: ModelCard) -> dict[str, Any]:
    told: dict[str, Any] = {"id": card.id, "object": "model", "created": card.created, "owned_by": card.owned_by}
    told |= {"metier": {"kind": card.kind, "title": card.title}}
    return told if card.context_length is None else {**told, "max_model_len": card.context_length}


def _vector(vector: Sequence[float], encoding: str) -> list[float] | str:
    if encoding == "float":
        return [float(number) for number in vector]
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
