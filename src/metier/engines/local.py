"""A model in this process as a `ChatModel`: one thread generates, and several answers grow together in it."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import cast

from metier.core.errors import ConfigError, ModelError
from metier.core.i18n import Language, current_language, translate
from metier.data.messages import Message
from metier.engines.base import Completion, Engine, EngineOptions, prompt_budget
from metier.engines.chatmodel import Delta, Request, Turn, Usage
from metier.engines.registry import open_engine
from metier.engines.thinking import ThinkingStream
from metier.rendering.thinking import opens_thinking

_LAST_STEP_SECONDS = 30.0


class LocalChatModel:
    """Answers with an engine. name: what it calls itself; worker: the thread it generates in, shared by engines over
    the same weights; release: called once by `close`, instead of ending the worker."""

    can_call_tools = False
    can_follow_schema = False

    def __init__(
        self, engine: Engine, name: str, worker: Worker | None = None, *, release: Callable[[], None] | None = None
    ) -> None:
        self.engine = engine
        self._name = name
        self._worker = worker or Worker()
        self._release: Callable[[], None] | None = release or self._worker.close

    @property
    def name(self) -> str:
        return self._name

    @property
    def context_length(self) -> int:
        return self.engine.context_length

    @property
    def busy(self) -> bool:
        """Whether an answer is being made."""
        return self._worker.busy

    def count(self, turns: Sequence[Turn]) -> int:
        """Tokens of the rendered conversation."""
        return len(self.engine.renderer.prompt([turn.message for turn in turns]).input_ids)

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """The answer as it grows. Raises ConfigError for tools or a schema, which nothing here could honour."""
        if request.tools:
            raise ConfigError("engines.no_tools", model=self.name)
        if request.schema is not None:
            raise ConfigError("engines.no_schema", model=self.name)
        answering = Answering(answer_pieces(self.engine, request, current_language()), asyncio.get_running_loop())
        self._worker.take(answering, self.name)
        try:
            while True:
                piece = await answering.pieces.get()
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
                if piece.kind == "end":
                    return
        finally:
            answering.stopped = True

    async def close(self) -> None:
        """Ends the thread with its answers, unless it is shared; the weights go with the last reference to them."""
        release, self._release = self._release, None
        if release is not None:
            await asyncio.to_thread(release)


def open_local(
    model_name_or_path: str, adapter_name_or_path: str | None = None, options: EngineOptions | None = None
) -> LocalChatModel:
    """Loads a model, and its adapter, into this process."""
    from metier.models import resolve_model

    engine = open_engine("hf", resolve_model(model_name_or_path, adapter_name_or_path), options)
    return LocalChatModel(engine, model_name_or_path)


def answer_pieces(engine: Engine, request: Request, language: Language) -> Generator[Delta, None, None]:
    """One answer, piece by piece; what was left out of a conversation that is too long is said first."""
    messages: list[Message] = [turn.message for turn in request.turns]
    budget = prompt_budget(engine.context_length, request.sampling.max_new_tokens)
    prompt = engine.renderer.prompt(messages, cutoff_len=budget, enable_thinking=request.enable_thinking)
    if prompt.truncated:
        yield Delta("notice", translate("engines.words_cut", language=language, count=prompt.truncated))
    if prompt.dropped_turns:
        yield Delta("notice", translate("engines.turns_dropped", language=language, count=prompt.dropped_turns))
    parts = ThinkingStream(thinking=opens_thinking(prompt.text))
    stream = engine.stream(prompt, request.sampling)
    try:
        while True:
            yield from (Delta(kind, text) for kind, text in parts.push(next(stream)))
    except StopIteration as ended:
        completion = cast("Completion", ended.value)
    finally:
        stream.close()
    yield from (Delta(kind, text) for kind, text in parts.finish())
    usage = Usage(completion.prompt_tokens, len(completion.token_ids))
    yield Delta("end", finished_by=completion.finish_reason, usage=usage)


@dataclass(eq=False)
class Answering:
    """An answer on its way from the thread that makes it to the loop that wants it. stopped: nobody wants it now."""

    deltas: Generator[Delta, None, None]
    loop: asyncio.AbstractEventLoop
    pieces: asyncio.Queue[Delta | BaseException] = field(default_factory=asyncio.Queue)
    stopped: bool = False

    def tell(self, piece: Delta | BaseException) -> None:
        """Hands a piece over. A loop that has ended wants nothing more."""
        try:
            self.loop.call_soon_threadsafe(self.pieces.put_nowait, piece)
        except RuntimeError:
            self.stopped = True


class Worker:
    """A thread that advances every answer by a piece in turn."""

    def __init__(self) -> None:
        self._arrivals: deque[Answering] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._live: list[Answering] = []
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is being made."""
        return bool(self._arrivals or self._live)

    def take(self, answering: Answering, name: str) -> None:
        """Begins an answer. Raises ModelError once it is closed."""
        with self._wake:
            if self._closed:
                raise ModelError("engines.model_closed", model=name)
            self._arrivals.append(answering)
            if self._thread is None:
                # A thread that is in torch's code must not be cut off at the interpreter's end.
                atexit.register(self.close)
                self._thread = threading.Thread(target=self._run, name="answers", daemon=True)
                self._thread.start()
            self._wake.notify()

    def close(self) -> None:
        """Stops every answer and ends the thread, which takes as long as the step that it is in."""
        with self._wake:
            self._closed = True
            self._wake.notify()
            thread, self._thread = self._thread, None
        atexit.unregister(self.close)
        if thread is not None:
            thread.join(_LAST_STEP_SECONDS)

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._arrivals or self._live or self._closed):
                    self._wake.wait()
                self._live = [*self._live, *self._arrivals]
                self._arrivals.clear()
                closed = self._closed
            for one in self._live:
                if closed and not one.stopped:
                    one.tell(ModelError("engines.model_closed", model=""))
                # Set only, never cleared: the loop sets it too, at any time.
                if closed or (not one.stopped and not _advance(one)):
                    one.stopped = True
                if one.stopped:
                    one.deltas.close()
            self._live = [one for one in self._live if not one.stopped]
            if closed:
                return


def _advance(one: Answering) -> bool:
    """Makes the next piece; whether there may be more. What goes wrong is raised where the answer is wanted."""
    try:
        piece = next(one.deltas)
    except StopIteration:
        return False
    except Exception as error:  # the boundary of the thread
        one.tell(error)
        return False
    one.tell(piece)
    return True
