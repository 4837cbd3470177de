"""A conversation over any engine: history, streaming, thinking apart from the answer, two models side by side."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, cast, runtime_checkable

from metier.core.errors import ConfigError
from metier.core.i18n import translate
from metier.data.messages import ImagePart, Message, TextPart, message
from metier.engines.base import Completion, Engine, EngineOptions, prompt_budget
from metier.engines.registry import open_engine
from metier.engines.sampling import Sampling
from metier.engines.thinking import ThinkingStream
from metier.rendering.thinking import opens_thinking

if TYPE_CHECKING:
    from metier.models import ResolvedModel

PieceKind = Literal["thinking", "answer", "notice"]


@dataclass(frozen=True, slots=True)
class ChatPiece:
    """A piece of an answer as it comes: of the thinking, of the answer, or a notice to the user (not part of it)."""

    kind: PieceKind
    text: str


class ChatSession:
    """One conversation with one model.

    system_prompt: said first, or None for what the template brings; sampling: how tokens are chosen; enable_thinking:
    passed to the template, None leaves its default. `history` holds the turns so far, the system prompt not included;
    `completion` the last answer's tokens and how it ended, None while it is written or where it was stopped.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        system_prompt: str | None = None,
        sampling: Sampling | None = None,
        enable_thinking: bool | None = None,
    ) -> None:
        self.engine = engine
        self.system_prompt = system_prompt
        self.sampling = sampling or Sampling()
        self.enable_thinking = enable_thinking
        self.history: list[Message] = []
        self.completion: Completion | None = None
        self._turn = 0

    def ask(self, text: str, images: Sequence[ImagePart] = ()) -> Iterator[ChatPiece]:
        """Adds the user's words, and pictures before them, and streams the answer. Closing the iterator keeps what was
        said until then."""
        return self._answer([*self.history, Message("user", (*images, TextPart(text)))])

    def regenerate(self) -> Iterator[ChatPiece]:
        """Answers the last question anew (with another draw). Raises ConfigError where nothing was asked yet."""
        asked = list(self.history)
        while asked and asked[-1].role != "user":
            asked.pop()
        if not asked:
            raise ConfigError("engines.nothing_asked")
        return self._answer(asked)

    def reset(self) -> None:
        """Forgets the conversation."""
        self.history = []
        self._turn = 0

    def _answer(self, asked: list[Message]) -> Iterator[ChatPiece]:
        system = [message("system", self.system_prompt)] if self.system_prompt else []
        budget = prompt_budget(self.engine.context_length, self.sampling.max_new_tokens)
        prompt = self.engine.renderer.prompt([*system, *asked], cutoff_len=budget, enable_thinking=self.enable_thinking)
        if prompt.truncated:
            yield ChatPiece("notice", translate("engines.words_cut", count=prompt.truncated))
        if prompt.dropped_turns:
            yield ChatPiece("notice", translate("engines.turns_dropped", count=prompt.dropped_turns))
        opened = opens_thinking(prompt.text)
        stream = ThinkingStream(thinking=opened)
        # Another draw each turn, so that the same question asked again is not answered word for word.
        sampling = self.sampling.model_copy(update={"seed": self.sampling.seed + self._turn})
        self._turn += 1
        self.completion = None
        said = "<think>\n" if opened else ""
        begun = False
        try:
            for text in self._followed(self.engine.stream(prompt, sampling)):
                said, begun = said + text, True
                yield from (ChatPiece(kind, piece) for kind, piece in stream.push(text))
            begun = True
            yield from (ChatPiece(kind, piece) for kind, piece in stream.finish())
        finally:
            # A failure before the first word leaves the conversation as it was, so that it can be asked again.
            if begun:
                self.history = [*asked, message("assistant", said)]

    def _followed(self, stream: Generator[str, None, Completion]) -> Iterator[str]:
        self.completion = yield from stream


def side_by_side(
    sessions: dict[str, ChatSession], text: str, images: Sequence[ImagePart] = ()
) -> Iterator[tuple[str, ChatPiece]]:
    """Asks several sessions the same and yields (name, piece) in turn, so that all answers grow together."""
    streams = {name: session.ask(text, images) for name, session in sessions.items()}
    try:
        while streams:
            for name in list(streams):
                piece = next(streams[name], None)
                if piece is None:
                    del streams[name]
                else:
                    yield name, piece
    finally:
        for stream in streams.values():
            cast("_Closable", stream).close()


def open_base_and_tuned(
    name: str, resolved: ResolvedModel, options: EngineOptions | None = None
) -> tuple[Engine, Engine]:
    """Two engines over one copy of the weights: the base model, and the same with its adapter.

    Raises ConfigError where no adapter is given, or where the engine cannot switch it off.
    """
    given = options or EngineOptions()
    tuned = open_engine(name, resolved, replace(given, merge_adapter=False))
    if not isinstance(tuned, _SwitchesAdapter):
        raise ConfigError("engines.no_adapter_switch", engine=name)
    return tuned.without_adapter(), tuned


@runtime_checkable
class _SwitchesAdapter(Protocol):
    def without_adapter(self) -> Engine: ...


class _Closable(Protocol):
    def close(self) -> None: ...
