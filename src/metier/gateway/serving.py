"""A chat model, or a specialist, as something that answers for a name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from metier.core.errors import MetierError
from metier.engines.chatmodel import ChatModel, Delta, FinishedBy, Request, Usage
from metier.engines.sampling import Sampling
from metier.gateway.catalogue import PLAIN_SAMPLING, Cited, Piece
from metier.gateway.errors import GatewayError
from metier.specialists.evidence import Answer, AnswerPiece, Evidence, plain
from metier.specialists.spec import Specialist
from metier.specialists.tools import Searchable

if TYPE_CHECKING:
    from metier.knowledge.embedding import Embedder

# Evidence → the address that a citation opens.
AddressOf = Callable[[Evidence], str]


@runtime_checkable
class _InBatches(Protocol):
    """A model that hands over together what came together."""

    def batches(self, request: Request) -> AsyncGenerator[list[Delta], None]: ...


class ServedModel:
    """A plain model."""

    def __init__(self, model: ChatModel, sampling: Sampling = PLAIN_SAMPLING) -> None:
        self.model = model
        self.sampling = sampling

    @property
    def context_length(self) -> int | None:
        return self.model.context_length

    async def stream(self, request: Request) -> AsyncGenerator[Sequence[Piece], None]:
        """The model's own pieces; what it has to say about them is told with the answer's details."""
        model = self.model
        if isinstance(model, _InBatches):
            async with aclosing(model.batches(request)) as batches:
                async for batch in batches:
                    yield batch
            return
        async with aclosing(model.stream(request)) as deltas:
            async for delta in deltas:
                if delta.kind == "notice":
                    yield (Cited(details={"notices": [delta.text]}),)
                else:
                    yield (delta,)


class ServedSpecialist:
    """A specialist in a version. model: None answers in quotations, absent: why; knowledge: opened for who asks."""

    def __init__(
        self,
        specialist: Specialist,
        version: str,
        model: ChatModel | None,
        knowledge: Mapping[str, Searchable],
        address_of: AddressOf | None = None,
        absent: MetierError | None = None,
    ) -> None:
        self.absent = absent
        self.specialist = specialist
        self.version = version
        self.model = model
        self.knowledge = knowledge
        self.address_of = address_of or passage_address

    @property
    def sampling(self) -> Sampling:
        return self.specialist.sampling

    @property
    def context_length(self) -> int | None:
        return self.model.context_length if self.model is not None else None

    async def stream(self, request: Request) -> AsyncGenerator[Sequence[Piece], None]:
        """The checked answer, then its citations. A system prompt of the request is added to the specialist's own.

        Raises GatewayError for tools and schemas, as a specialist brings its own tools, and for pictures, which would
        be passed over.
        """
        from metier.specialists.answering import answer

        if request.tools:
            raise GatewayError("gateway.own_tools", param="tools", code="unsupported_parameter")
        if request.schema is not None:
            raise GatewayError("gateway.no_schema", param="response_format", code="unsupported_parameter")
        if any(turn.message.images for turn in request.turns):
            raise GatewayError("gateway.own_pictures", param="messages", code="unsupported_parameter")
        turns = [turn for turn in request.turns if turn.message.role != "system"]
        if not turns or turns[-1].message.role != "user":
            raise GatewayError("gateway.no_question", param="messages")
        said = [turn.message.text for turn in request.turns if turn.message.role == "system"]
        prompt = "\n\n".join(part for part in (self.specialist.system_prompt, *said) if part)
        thinking = self.specialist.enable_thinking if request.enable_thinking is None else request.enable_thinking
        changes = {"sampling": request.sampling, "system_prompt": prompt, "enable_thinking": thinking}
        asked = self.specialist.model_copy(update=changes)
        pieces = answer(asked, self.version, turns, model=self.model, knowledge=self.knowledge, absent=self.absent)
        async with aclosing(pieces):
            async for piece in pieces:
                if found := self._told(piece):
                    yield found

    def _told(self, piece: AnswerPiece) -> tuple[Piece, ...]:
        if piece.kind in ("thinking", "answer"):
            return (Delta(cast("Any", piece.kind), piece.text),)
        whole = piece.answer
        if whole is None:
            return ()
        ended = whole.finished_by if whole.finished_by in ("stop", "length") else "stop"
        usage = Usage(whole.prompt_tokens, whole.completion_tokens)
        cited = Cited(tuple(url_citations(whole, self.address_of)), details(whole))
        return cited, Delta("end", finished_by=cast("FinishedBy", ended), usage=usage)


class ServedEmbedder:
    """What makes vectors of texts, opened when it is first asked. name: as `open_embedder` takes it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._opened: Embedder | None = None
        self._one_by_one = asyncio.Lock()

    async def embed(self, texts: Sequence[str]) -> tuple[Sequence[Sequence[float]], int]:
        """A vector a text, and how many tokens that took; of an endpoint about how many."""
        async with self._one_by_one:
            return await asyncio.to_thread(self._embed, list(texts))

    def _embed(self, texts: list[str]) -> tuple[Sequence[Sequence[float]], int]:
        from metier.knowledge.embedding import open_embedder
        from metier.knowledge.embedding_local import LocalEmbedder

        if self._opened is None:
            self._opened = open_embedder(self.name, local=True)
        vectors = self._opened.embed(texts)
        if isinstance(self._opened, LocalEmbedder):
            return vectors, self._opened.count_tokens(texts)
        return vectors, sum(len(text) // 4 + 1 for text in texts)


def url_citations(answer: Answer, address_of: AddressOf) -> list[dict[str, Any]]:
    """Citations in the shape of OpenAI's: where the [n] stands, what it leads to; and the very words it rests on."""
    evidence = {one.number: one for one in answer.evidence}
    found: list[dict[str, Any]] = []
    for citation in answer.citations:
        source = evidence.get(citation.number)
        if source is None:
            continue
        cited: dict[str, Any] = {
            "start_index": citation.start,
            "end_index": citation.end,
            "url": address_of(source),
            "title": source.passage.source if source.passage else source.title or source.kind,
            "number": citation.number,
            "kind": source.kind,
            "quote": source.text[citation.quote_start : citation.quote_end],
            "exact": citation.exact,
        }
        if source.passage is not None:
            passage = source.passage
            cited |= {"file": passage.file, "page": passage.page, "article": passage.article}
            cited |= {"start": passage.start, "end": passage.end, "base": source.base, "document": passage.document}
        found.append({"type": "url_citation", "url_citation": cited})
    return found


def details(answer: Answer) -> dict[str, Any]:
    """What else is to be known of an answer: who gave it in which version, how, and by which steps."""
    told = {
        "specialist": answer.specialist,
        "version": answer.version,
        "mode": answer.mode,
        "reason": answer.reason,
        "notices": list(answer.notices),
        "steps": [plain(step) for step in answer.steps],
    }
    return {name: value for name, value in told.items() if value not in ("", [])}


def passage_address(evidence: Evidence) -> str:
    """Where there is no page to open: the base, the document and the place in it, as one name."""
    passage = evidence.passage
    if passage is None:
        return f"metier:{evidence.kind}/{evidence.number}"
    return f"metier:knowledge/{evidence.base}/{passage.document}?start={passage.start}&end={passage.end}"
