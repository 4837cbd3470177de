"""Chats in the browser: choose a model or two, ask, read; and what was said earlier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from metier.api.access import Services
from metier.core.errors import UserError
from metier.data.pictures import MOST_BYTES
from metier.web.conversations import (
    Exchange,
    Here,
    Place,
    Search,
    answer_turn,
    exchanges_of,
    lately,
    script_texts,
)
from metier.web.render import page
from metier.web.visit import Reader
from metier.workbench.accounts import Person
from metier.workbench.chatmodels import ChatModel
from metier.workbench.chatpictures import MOST_IN_QUESTION
from metier.workbench.chatrows import LONGEST_QUESTION
from metier.workbench.chatsetup import ChatSampling, ChatSetup
from metier.workbench.jobs import reason_text
from metier.workbench.store.tables import Chat, ChatTurn
from metier.workbench.workbench import Workbench

router = APIRouter()
_GROUPS = ("base", "tuned", "checkpoint")
# What the script says; the placeholders are filled in there.
_TEXTS = (
    "load", "unload", "state_none", "state_other", "state_waiting", "state_blocked", "state_ready", "state_starting",
    "state_fetching", "state_reading", "waited_for", "idle_kept",
    "ahead", "open_run", "wait", "give_up", "free_it", "free_it_ask", "replaces",
    "attach", "takes_no_pictures", "picture_remove", "picture_sending", "picture_many", "picture_too_large",
    "picture_broken",
    "edit_send", "cancel", "thought", "writing", "waiting", "lost", "ask_label", "model", "model_left",
)  # fmt: skip
_PLACEHOLDERS = ("seconds", "device", "text", "titles", "count", "title", "name", "most")


@dataclass(frozen=True)
class Shown:
    """An answer as the page shows it. reason: why it failed; cut: whether it was broken off from outside."""

    id: str
    state: str
    title: str
    text: str
    thinking: str
    notices: list[str]
    reason: str
    cut: bool
    finish: str
    tokens: int
    seconds: float
    context: int
    context_full: bool


@router.get("/chat")
def new_chat(
    request: Request, services: Services, person: Reader, model: Annotated[list[str] | None, Query(max_length=2)] = None
) -> Response:
    """A chat that has not begun. model: what to chat with; given twice, two side by side."""
    last = services.chats.page(person, limit=1).chats
    setup = ChatSetup.model_validate(last[0].setup) if last else ChatSetup()
    if model:
        for reference in model:
            services.chats.models.weights(person, reference, verify=False)
        setup = setup.model_copy(update={"models": tuple(model)})
    return _page(request, services, person, None, setup, [])


@router.get("/chat/list")
def chat_list(
    request: Request, services: Services, person: Reader,
    search: Search = "", after: Place = None, here: Here = "",
) -> Response:  # fmt: skip
    """Earlier chats, a part of the page."""
    found = services.chats.page(person, search=search, after=after)
    return page(request, "chat_part.html", person, part="list", found=found, search=search, here=here)


@router.get("/chat/{chat_id}")
def chat(request: Request, services: Services, person: Reader, chat_id: str, all: bool = False) -> Response:
    """A chat with what was said. all: also what was said long before."""
    row = services.chats.get(person, chat_id)
    exchanges = exchanges_of(services.chats.turns(person, chat_id), _shown)
    return _page(request, services, person, row, ChatSetup.model_validate(row.setup), exchanges, whole=all)


@router.get("/chat/{chat_id}/turns")
def all_turns(request: Request, services: Services, person: Reader, chat_id: str, all: bool = False) -> Response:
    """What was said, a part of the page."""
    exchanges = exchanges_of(services.chats.turns(person, chat_id), _shown)
    return page(request, "chat_part.html", person, part="turns", **lately(exchanges, whole=all))


@router.get("/chat/{chat_id}/turns/{turn_id}")
def one_turn(request: Request, services: Services, person: Reader, chat_id: str, turn_id: str) -> Response:
    """One answer, a part of the page."""
    turn = answer_turn(services.chats, person, chat_id, turn_id)
    return page(request, "chat_part.html", person, part="answer", turn=_shown(turn))


@router.post("/chat/{chat_id}/rename")
def rename(services: Services, person: Reader, chat_id: str, title: Annotated[str, Form(max_length=300)]) -> Response:
    """Another title."""
    services.chats.change(person, chat_id, title=title)
    return RedirectResponse(f"/chat/{chat_id}", 303)


@router.post("/chat/{chat_id}/remove")
def remove(services: Services, person: Reader, chat_id: str) -> Response:
    """Removes a chat with all that was said."""
    services.chats.remove(person, chat_id)
    return RedirectResponse("/chat", 303)


def _shown(turn: ChatTurn) -> Shown:
    known = turn.details
    tokens, context = known.get("tokens") or 0, known.get("context") or 0
    return Shown(
        id=turn.id,
        state=turn.state,
        title=known.get("title", ""),
        text=turn.text,
        thinking=turn.thinking,
        notices=known.get("notices", []),
        reason=reason_text(known.get("reason")),
        cut=bool(known.get("cut")),
        finish=known.get("finish") or "",
        tokens=tokens,
        seconds=known.get("seconds") or 0.0,
        context=context,
        context_full=bool(context) and (known.get("prompt_tokens") or 0) + tokens >= context,
    )


def _page(
    request: Request, services: Workbench, person: Person, row: Chat | None, setup: ChatSetup,
    exchanges: list[Exchange[Shown]], *, whole: bool = False,
) -> Response:  # fmt: skip
    choices = _choices(services, person, setup)
    return page(
        request,
        "chat.html",
        person,
        chat=row,
        setup=setup,
        groups=[(name, [one for one in choices if one.group == name]) for name in _GROUPS],
        other=next((one.reference for one in choices if one.reference != setup.models[0]), setup.models[0]),
        bounds=_bounds(),
        **lately(exchanges, whole=whole),
        idle_minutes=services.chats.hosts.idle_minutes() if person.is_admin else 0,
        found=services.chats.page(person),
        longest=LONGEST_QUESTION,
        most_pictures=MOST_IN_QUESTION,
        most_picture_bytes=MOST_BYTES,
        texts=script_texts("chat", _TEXTS, _PLACEHOLDERS),
    )


def _choices(services: Workbench, person: Person, setup: ChatSetup) -> list[ChatModel]:
    """What to choose from; a chosen model that is gone stays in the list, as what it was called."""
    try:
        found = services.chats.models.choices(person, also=setup.models)
    except UserError:  # the run that the chat was with has been removed
        found = services.chats.models.choices(person)
    known = {one.reference for one in found}
    return found + [ChatModel(name, name, "base") for name in dict.fromkeys(setup.models) if name not in known]


def _bounds() -> dict[str, tuple[Any, Any]]:
    """The least and most of each sampling parameter, for the form; the service checks them again."""
    found = {}
    for name, info in ChatSampling.model_fields.items():
        marks = {
            key: getattr(one, key) for one in info.metadata for key in ("ge", "gt", "le", "lt") if hasattr(one, key)
        }
        least = marks.get("ge", 0.01 if "gt" in marks else None)
        most = marks.get("le", marks["lt"] - 1 if "lt" in marks else None)
        found[name] = (least, most)
    return found
