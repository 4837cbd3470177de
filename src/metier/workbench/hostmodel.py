"""A loaded model of the chats' process as a `ChatModel`: what specialists ask, without torch in the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from metier.core.errors import MetierError, RunError
from metier.core.i18n import current_language
from metier.engines.chatmodel import Delta, Request, Turn, Usage
from metier.workbench.chatprocess import ChatHost
from metier.workbench.chatwire import to_wire
from metier.workbench.store.tables import new_id

_READY_SECONDS = 0.1
_PER_TURN = 8  # tokens that a template may put around a message


class HostChatModel:
    """One side of a host. Its end is the host's: closing it unloads nothing."""

    can_call_tools = False
    can_follow_schema = False

    def __init__(self, host: ChatHost, side: str) -> None:
        self.host = host
        self.side = side

    @property
    def name(self) -> str:
        """The title of what is loaded."""
        return self.host.weights[self.side].title

    @property
    def context_length(self) -> int:
        """Tokens that prompt and answer may have together; known once it is ready."""
        return int(self.host.sides[self.side]["context"])

    async def ready(self) -> None:
        """Waits until the model is loaded. Raises why it will not be."""
        while self.host.state in ("waiting", "loading"):
            await asyncio.sleep(_READY_SECONDS)
        if self.host.state != "ready":
            raise _error_of(self.host.reason)

    def count(self, turns: Sequence[Turn]) -> int:
        """An upper estimate: the tokenizer lives in the other process. Two tokens a Chinese character, as SmolLM2
        needs, and two for five letters."""
        letters = others = 0
        for turn in turns:
            ascii_only = len(turn.message.text.encode("ascii", "ignore"))
            letters += ascii_only
            others += len(turn.message.text) - ascii_only
        return _PER_TURN * len(turns) + 2 * others + (2 * letters + 4) // 5

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """The answer as the process writes it. Closing it stops the process's work on it."""
        events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        command = self._command(request)

        def hear(event: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(events.put_nowait, event)

        await asyncio.to_thread(self.host.answer, command, hear)
        try:
            while (event := await events.get())["event"] == "piece":
                yield Delta(event["kind"], event["text"])
        finally:
            self.host.stop_answer(command["id"])
        if event["state"] != "whole":
            raise _error_of(event.get("reason") or self.host.reason)
        finish = "length" if event.get("finish") == "length" else "stop"
        usage = Usage(event.get("prompt_tokens") or 0, event.get("tokens") or 0)
        yield Delta("end", finished_by=finish, usage=usage)  # type: ignore[arg-type]

    async def close(self) -> None:
        """Nothing: the host is its owner's."""

    def _command(self, request: Request) -> dict[str, Any]:
        said = [turn.message for turn in request.turns]
        system = said[0].text if said and said[0].role == "system" else ""
        return {
            "id": new_id(),
            "side": self.side,
            "system": system,
            "asked": to_wire(one for one in said if one.role != "system"),
            "sampling": request.sampling.model_dump(mode="json"),
            "thinking": request.enable_thinking,
            "language": current_language(),
        }


def _error_of(reason: dict[str, Any] | None) -> MetierError:
    """What ended an answer, as an error."""
    if reason:
        return RunError(reason["key"], **reason.get("fields", {}))
    return RunError("workbench.chat_unloaded")
