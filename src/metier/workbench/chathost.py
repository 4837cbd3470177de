"""The process that a chat's models live in: `python -m metier.workbench.chathost`.

It reads one JSON object a line from its input and writes one a line to its output. The first line says what to load;
after that answers are asked for and stopped, several at once: they grow together, a piece of each in turn.

It dies with the server: the end of its input is the server's end. (The kernel's own signal for that comes when the
*thread* that started a process ends, which in a server happens all the time.)

    → {"do": "load", "models": {"left": {model, adapter, tokenizer, template}, "right": …}}
    ← {"event": "stage", "stage": "starting" | "fetching" | "reading"}
    ← {"event": "ready", "sides": {"left": {context}}}               or {"event": "failed", "reason": {key, fields}}
    → {"do": "answer", "id", "side", "system", "asked": [[role, parts], …], "sampling", "thinking", "language"}
    ← {"event": "piece", "id", "kind", "text"}                       kind: thinking, answer, notice
    ← {"event": "end", "id", "state": "whole" | "stopped" | "failed", tokens, prompt_tokens, context,
       seconds, finish, reason}
    → {"do": "stop", "id"}
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, TextIO

from metier.core.errors import MetierError
from metier.core.events import EventLog
from metier.core.i18n import use_language
from metier.engines import ChatPiece, ChatSession, Engine, Sampling
from metier.workbench.chatwire import from_wire

Tell = Callable[..., None]


@dataclass
class Answer:
    """An answer while it grows."""

    id: str
    session: ChatSession
    pieces: Iterator[ChatPiece]
    language: Any
    tokens: int = 0
    begun: float = field(default_factory=time.monotonic)


def main() -> int:
    """Loads, then answers until its input ends."""
    # Whatever a library prints must not get between the lines of the protocol.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    tell = _teller(out)
    commands: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(target=_read, args=(commands,), name="commands", daemon=True).start()
    tell("stage", stage="starting")
    first = commands.get()
    try:
        engines = load(first["models"], tell)
    except Exception as error:  # the process's boundary: whatever is raised becomes a reason
        tell("failed", reason=reason_of(error))
        return 1
    tell("ready", sides={side: {"context": engine.context_length} for side, engine in engines.items()})
    answer_all(engines, commands, tell)
    return 0


def load(models: dict[str, dict[str, Any]], tell: Tell) -> dict[str, Engine]:
    """An engine a side. A model and the same with an adapter, or a model twice, share one copy of the weights."""
    from metier.engines import EngineOptions, open_engine
    from metier.models import resolve_model

    def fetching(_event: dict[str, Any]) -> None:
        tell("stage", stage="fetching")

    made: dict[tuple[str | None, ...], Engine] = {}
    wanted = {side: (one["model"], one["adapter"], one["template"]) for side, one in models.items()}
    # What has an adapter first: its base is then a view of the same weights.
    for side in sorted(wanted, key=lambda side: wanted[side][1] is None):
        model, adapter, template = name = wanted[side]
        if name in made:
            continue
        resolved = resolve_model(model, adapter, events=EventLog(None, (fetching,)))
        tell("stage", stage="reading")
        if models[side]["tokenizer"]:
            made[name] = _with_tokenizer_of(models[side], resolved)
            continue
        base = (model, None, template)
        shared = adapter is not None and base in wanted.values()
        options = EngineOptions(template=template, merge_adapter=False if shared else None)
        engine = made[name] = open_engine("hf", resolved, options)
        if shared:
            made[base] = engine.without_adapter()  # type: ignore[attr-defined]
    return {side: made[name] for side, name in wanted.items()}


def _with_tokenizer_of(one: dict[str, Any], resolved: Any) -> Engine:
    """An engine for a checkpoint of all weights, whose tokenizer is that of the model it began from."""
    from metier.engines.hf import HFEngine
    from metier.models import load_model, resolve_model
    from metier.rendering import load_renderer

    renderer = load_renderer(resolve_model(one["tokenizer"]), template=one["template"])
    return HFEngine(load_model(resolved), renderer)


def answer_all(engines: dict[str, Engine], commands: SimpleQueue[dict[str, Any]], tell: Tell) -> None:
    """Takes commands and lets the answers grow in turn."""
    growing: dict[str, Answer] = {}
    while True:
        for command in _waiting(commands, block=not growing):
            if command["do"] == "answer":
                growing[command["id"]] = begin(engines[command["side"]], command)
            elif command["do"] == "stop" and (stopped := growing.pop(command["id"], None)) is not None:
                _end(stopped, "stopped", tell)
        for answer in list(growing.values()):
            if not _grow(answer, tell):
                del growing[answer.id]


def begin(engine: Engine, command: dict[str, Any]) -> Answer:
    """An answer that has not said anything yet."""
    session = ChatSession(
        engine,
        system_prompt=command["system"] or None,
        sampling=Sampling(**command["sampling"]),
        enable_thinking=command["thinking"],
    )
    *before, question = from_wire(command["asked"])
    session.history = before
    return Answer(command["id"], session, session.ask(question.text, question.images), command["language"])


def _grow(answer: Answer, tell: Tell) -> bool:
    """The next piece of an answer; False once it has ended."""
    use_language(answer.language)
    try:
        piece = next(answer.pieces, None)
    except Exception as error:  # one answer's failure, such as a prompt that does not fit, is not the others'
        tell("end", id=answer.id, state="failed", reason=reason_of(error), **_figures(answer))
        return False
    if piece is None:
        _end(answer, "whole", tell)
        return False
    answer.tokens += piece.kind != "notice"
    tell("piece", id=answer.id, kind=piece.kind, text=piece.text)
    return True


def _end(answer: Answer, state: str, tell: Tell) -> None:
    answer.pieces.close()  # type: ignore[attr-defined]
    tell("end", id=answer.id, state=state, **_figures(answer))


def _figures(answer: Answer) -> dict[str, Any]:
    """How much was said in what time. A stopped answer's pieces stand for its tokens."""
    completion = answer.session.completion
    return {
        "tokens": len(completion.token_ids) if completion else answer.tokens,
        "prompt_tokens": completion.prompt_tokens if completion else None,
        "context": answer.session.engine.context_length,
        "finish": completion.finish_reason if completion else None,
        "seconds": round(time.monotonic() - answer.begun, 3),
    }


def reason_of(error: Exception) -> dict[str, Any]:
    """An error as key and fields, to be told in the reader's language."""
    if isinstance(error, MetierError):
        return {"key": error.key, "fields": {name: str(value) for name, value in error.fields.items()}}
    traceback.print_exc()
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return {"key": "workbench.chat_memory", "fields": {}}
    if type(error).__name__ == "OutOfMemoryError":  # torch's, which is not imported here
        return {"key": "workbench.chat_device_memory", "fields": {}}
    text = (f"{type(error).__name__}: {error}".splitlines() or [""])[0][:300]
    return {"key": "workbench.reason_unexpected", "fields": {"problem": text}}


def _waiting(commands: SimpleQueue[dict[str, Any]], *, block: bool) -> Iterator[dict[str, Any]]:
    """Commands that have come; waits for one where there is nothing else to do."""
    try:
        yield commands.get(block=block)
        while True:
            yield commands.get(block=False)
    except Empty:
        return


def _read(commands: SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin:
        commands.put(json.loads(line))
    os._exit(0)  # nobody is there any more, whatever is being computed


def _teller(out: TextIO) -> Tell:
    lock = threading.Lock()

    def tell(event: str, **fields: Any) -> None:
        with lock:
            out.write(json.dumps({"event": event, **fields}) + "\n")
            out.flush()

    return tell


if __name__ == "__main__":
    sys.exit(main())
