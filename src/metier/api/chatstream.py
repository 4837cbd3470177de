"""The answers of a chat as Server-Sent Events, from their first word on, for as many tabs as look."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from fastapi.encoders import jsonable_encoder

from metier.core.errors import MetierError
from metier.workbench.accounts import Person
from metier.workbench.conversations import Conversations
from metier.workbench.jobs import reason_text
from metier.workbench.store.tables import ChatTurn
from metier.workbench.workbench import Workbench

_POLL_SECONDS = 0.06
_PING_SECONDS = 15.0
_CHECK_SECONDS = 20.0  # how often it is made sure that who follows still may


def turn_view(turn: ChatTurn) -> dict[str, Any]:
    """A question or answer as the API shows it."""
    details = {name: value for name, value in turn.details.items() if name not in ("reason", "draws")}
    reason = reason_text(turn.details.get("reason")) or None
    return {
        "id": turn.id,
        "place": turn.place,
        "role": turn.role,
        "side": turn.side,
        "text": turn.text,
        "thinking": turn.thinking,
        "state": turn.state,
        "reason": reason,
        **details,
    }


async def chat_stream(
    request: Request, services: Workbench, chats: Conversations, owner: Person, chat_id: str
) -> AsyncIterator[str]:
    """`turns` (all that is being written, as far as it is, and how many turns there are), `piece`s of them, `known`
    where something was learnt about one, `end` of each, and at last `done`.

    Who comes back begins with `turns` again.
    """
    yield "retry: 1000\n\n"
    loop = asyncio.get_running_loop()
    quiet = checked = loop.time()
    seen = -1
    said: dict[str, tuple[int, int]] = {}
    noted: dict[str, int] = {}
    while not services.draining:
        if chats.stamp(chat_id) != seen or loop.time() - checked > _CHECK_SECONDS:
            checked = loop.time()
            stamp = chats.stamp(chat_id)
            try:
                turns = await asyncio.to_thread(_turns, chats, request, owner, chat_id)
            except MetierError:
                yield _message("gone", {})
                return
            ended = [turn for turn in turns if turn.id in said and turn.state != "writing"]
            for turn in ended:
                yield _message("end", turn_view(turn))
                del said[turn.id]
            writing = [turn for turn in turns if turn.state == "writing"]
            if stamp != seen and (seen == -1 or any(turn.id not in said for turn in writing)):
                said = {turn.id: (len(turn.text), len(turn.thinking)) for turn in writing}
                yield _message("turns", {"turns": [turn_view(turn) for turn in writing], "count": len(turns)})
            seen = stamp
            if not said:
                yield _message("done", {})
                return
        for turn_id, (text, thinking) in list(said.items()):
            live = chats.written(turn_id)
            if live is None:
                continue
            if live.noted != noted.get(turn_id, 0):
                noted[turn_id] = live.noted
                yield _message("known", {"id": turn_id, **live.details})
            fresh = {"id": turn_id, "text": live.text[text:], "thinking": live.thinking[thinking:]}
            if fresh["text"] or fresh["thinking"]:
                said[turn_id] = (text + len(fresh["text"]), thinking + len(fresh["thinking"]))
                quiet = loop.time()
                yield _message("piece", fresh)
        if loop.time() - quiet > _PING_SECONDS:
            quiet = loop.time()
            yield ": still here\n\n"
        if await request.is_disconnected():
            return
        await asyncio.sleep(_POLL_SECONDS)
    yield _message("draining", {})


def _turns(chats: Conversations, request: Request, owner: Person, chat_id: str) -> list[ChatTurn]:
    """The chat as it is now, if the owner is still signed in."""
    from metier.api.access import signed_in

    signed_in(request)
    return chats.turns(owner, chat_id)


def _message(name: str, value: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(jsonable_encoder(value), ensure_ascii=False)}\n\n"
