"""The assistant in the browser: ask a specialist, read an answer with its evidence, open what it cites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from metier.api.access import Services
from metier.core.errors import UserError
from metier.core.i18n import current_language, has_text
from metier.recipes.teaching import untaught_by
from metier.specialists.answering import examples_in, text_in
from metier.specialists.store import StoredSpecialist
from metier.specialists.tools.files import WRITERS
from metier.web.assistantdocuments import documents_of
from metier.web.cited import answer_html, marked, source_address
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
from metier.web.markdown import to_html
from metier.web.render import page, say
from metier.web.visit import Reader
from metier.workbench.accounts import Person
from metier.workbench.assistants import AssistantSetup
from metier.workbench.chatrows import LONGEST_QUESTION
from metier.workbench.errors import NotFoundError
from metier.workbench.jobs import reason_text
from metier.workbench.store.tables import Chat, ChatTurn
from metier.workbench.workbench import Workbench

router = APIRouter()
# What the script says; the placeholders are filled in there.
_TEXTS = (
    "load", "unload", "quoting", "server", "ready", "waiting", "starting", "fetching", "reading", "wait", "cancel",
    "edit_send", "lost", "ask_label", "replaces", "thanks", "sending", "too_large", "broken",
)  # fmt: skip
_PLACEHOLDERS = ("seconds", "device", "text", "title", "file", "percent")


@dataclass(frozen=True)
class Step:
    """A tool that was used, as the page shows it. said: its result, line by line; result: its values; file: where it
    can be saved, empty where it makes none."""

    name: str
    title: str
    arguments: dict[str, Any]
    result: dict[str, Any]
    said: list[str]
    error: str
    by_model: bool
    file: str


@dataclass(frozen=True)
class Source:
    """A piece of evidence in the list under an answer. cited: whether the answer names it."""

    number: int
    kind: str
    title: str
    place: str
    address: str
    cited: bool


@dataclass(frozen=True)
class Shown:
    """An answer as the page shows it. html: its whole text once it has ended; mode, why: how it was made; reason:
    why it failed."""

    id: str
    state: str
    bare: bool
    title: str
    version: str
    text: str
    html: Markup
    thinking: str
    notices: list[str]
    mode: str
    why: str
    reason: str
    cut: bool
    finish: str
    steps: list[Step]
    sources: list[Source]
    tokens: int
    seconds: float
    vote: str
    words: str


@router.get("/assistant")
def new_conversation(
    request: Request, services: Services, person: Reader, specialist: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """A conversation that has not begun. specialist: with whom; else with the one that was asked last."""
    last = services.assistants.page(person, limit=1).chats
    setup = AssistantSetup.model_validate(last[0].setup) if last else None
    known = {one.specialist.name: one for one in services.specialists.list(person)}
    if specialist and specialist not in known:
        raise NotFoundError("workbench.not_found")
    name = specialist or (setup.specialist if setup is not None and setup.specialist in known else _first(known))
    return _page(request, services, person, None, AssistantSetup(specialist=name), [])


@router.get("/assistant/list")
def conversation_list(
    request: Request, services: Services, person: Reader,
    search: Search = "", after: Place = None, here: Here = "",
) -> Response:  # fmt: skip
    """Earlier conversations, a part of the page."""
    found = services.assistants.page(person, search=search, after=after)
    return page(request, "assistant_part.html", person, part="list", found=found, search=search, here=here)


@router.get("/assistant/documents-part")
def documents_part(
    request: Request, services: Services, person: Reader,
    specialist: Annotated[str, Query(max_length=64)], base: Annotated[list[str] | None, Query(max_length=20)] = None,
) -> Response:  # fmt: skip
    """The documents that answers rest on, and what is on its way: a part of the page.

    base: the chosen ones, given as often as needed; left out, the specialist's own.
    """
    stored = services.specialists.get(person, specialist)
    shown = documents_of(services, person, stored.specialist, tuple(base) if base is not None else None)
    return page(request, "assistant_documents.html", person, documents=shown)


@router.get("/assistant/{chat_id}")
def conversation(request: Request, services: Services, person: Reader, chat_id: str, all: bool = False) -> Response:
    """A conversation with what was said. all: also what was said long before."""
    row = services.assistants.get(person, chat_id)
    exchanges = _exchanges(services, person, services.assistants.turns(person, chat_id))
    return _page(request, services, person, row, AssistantSetup.model_validate(row.setup), exchanges, whole=all)


@router.get("/assistant/{chat_id}/turns")
def conversation_turns(
    request: Request, services: Services, person: Reader, chat_id: str, all: bool = False
) -> Response:
    """What was said, a part of the page."""
    exchanges = _exchanges(services, person, services.assistants.turns(person, chat_id))
    return page(request, "assistant_part.html", person, part="turns", **lately(exchanges, whole=all))


@router.get("/assistant/{chat_id}/turns/{turn_id}")
def conversation_turn(request: Request, services: Services, person: Reader, chat_id: str, turn_id: str) -> Response:
    """One answer, a part of the page."""
    turn = answer_turn(services.assistants, person, chat_id, turn_id)
    shown = _shown(turn, _titles(services, person))
    return page(request, "assistant_part.html", person, part="answer", turn=shown)


@router.get("/assistant/{chat_id}/turns/{turn_id}/evidence/{number}")
def evidence(
    request: Request, services: Services, person: Reader, chat_id: str, turn_id: str, number: int,
    citation: Annotated[int | None, Query(ge=0, le=10_000)] = None,
) -> Response:  # fmt: skip
    """A piece of evidence as it was when the answer was given, its cited words marked: a part of the page.

    citation: which of the answer's citations; left out, the words of all that name it.
    """
    answer = answer_turn(services.assistants, person, chat_id, turn_id).details.get("answer") or {}
    found = next((one for one in answer.get("evidence", []) if one["number"] == number), None)
    if found is None:
        raise NotFoundError("workbench.not_found")
    named = [one for one in answer.get("citations", []) if one["number"] == number]
    every = answer.get("citations", [])
    if citation is not None and citation < len(every) and every[citation] in named:
        named = [every[citation]]
    return page(
        request, "assistant_part.html", person, part="evidence", evidence=found, words=marked(found, named),
        address=source_address(found, named[0] if named else None), citations=named,
    )  # fmt: skip


@router.post("/assistant/{chat_id}/rename")
def rename_conversation(
    services: Services, person: Reader, chat_id: str, title: Annotated[str, Form(max_length=300)]
) -> Response:
    """Another title."""
    services.assistants.rename(person, chat_id, title)
    return RedirectResponse(f"/assistant/{chat_id}", 303)


@router.post("/assistant/{chat_id}/remove")
def remove_conversation(services: Services, person: Reader, chat_id: str) -> Response:
    """Removes a conversation with all that was said."""
    services.assistants.remove(person, chat_id)
    return RedirectResponse("/assistant", 303)


def tool_title(name: str) -> str:
    """What a tool is called on pages."""
    key = f"specialists.tool_{name}"
    return say(key) if has_text(key) else name.replace("_", " ")


def tool_help(name: str) -> str:
    """What a tool does, for readers; empty where only its description for models is there."""
    key = f"specialists.help_{name}"
    return say(key) if has_text(key) else ""


def title_of(stored: StoredSpecialist) -> str:
    """A specialist's title in the reader's language, or its name."""
    return text_in(stored.specialist.title, current_language()) or stored.specialist.name


def _first(known: dict[str, StoredSpecialist]) -> str:
    return "legal" if "legal" in known else next(iter(known))


def _titles(services: Workbench, person: Person) -> dict[str, str]:
    return {one.specialist.name: title_of(one) for one in services.specialists.list(person)}


def _exchanges(services: Workbench, person: Person, turns: list[ChatTurn]) -> list[Exchange[Shown]]:
    """Questions with their answers, in order."""
    titles = _titles(services, person)
    return exchanges_of(turns, lambda turn: _shown(turn, titles))


def _shown(turn: ChatTurn, titles: dict[str, str]) -> Shown:
    known = turn.details
    answer = known.get("answer") or {}
    whole = turn.state != "writing" and "text" in answer
    bare = bool(known.get("bare"))
    name = known.get("specialist", "")
    cited = {one["number"] for one in answer.get("citations", [])}
    feedback = known.get("feedback") or {}
    why = answer.get("reason", "") if whole else ""
    notices = [one for one in known.get("notices", []) if one != why]
    return Shown(
        id=turn.id,
        state=turn.state,
        bare=bare,
        title=say("assistant_bare_title", title=known.get("title", "")) if bare else titles.get(name, name),
        version="" if bare else known.get("version", ""),
        text=turn.text,
        html=answer_html(turn.id, answer) if whole else to_html(turn.text, links=False),
        thinking=turn.thinking,
        notices=notices,
        mode=answer.get("mode", "") if whole else "",
        why=why,
        reason=reason_text(known.get("reason")),
        cut=bool(known.get("cut")),
        finish=known.get("finish") or "",
        steps=[_step(turn, number, one) for number, one in enumerate(answer.get("steps", []))],
        sources=[_source(one, cited) for one in answer.get("evidence", [])],
        tokens=known.get("tokens") or 0,
        seconds=known.get("seconds") or 0.0,
        vote=feedback.get("vote", ""),
        words=feedback.get("words", ""),
    )


def _step(turn: ChatTurn, number: int, step: dict[str, Any]) -> Step:
    name, result = step["name"], step["result"] or {}
    file = f"/api/v1/assistant/chats/{turn.chat_id}/turns/{turn.id}/steps/{number}/file"
    return Step(
        name=name,
        title=tool_title(name),
        arguments=step["arguments"],
        result=result,
        said=[line.replace("**", "").strip(" >") for line in step["text"].splitlines() if line.strip()],
        error=step["error"],
        by_model=step["called_by"] == "model",
        file=file if result and name in WRITERS else "",
    )


def _source(evidence: dict[str, Any], cited: set[int]) -> Source:
    passage = evidence.get("passage")
    place = say("assistant_place", file=passage["file"], page=passage["page"]) if passage else ""
    return Source(
        evidence["number"], evidence["kind"], evidence["title"] or say(f"assistant_kind_{evidence['kind']}"), place,
        source_address(evidence), evidence["number"] in cited,
    )  # fmt: skip


def _page(
    request: Request, services: Workbench, person: Person, row: Chat | None, setup: AssistantSetup,
    exchanges: list[Exchange[Shown]], *, whole: bool = False,
) -> Response:  # fmt: skip
    listed = services.specialists.list(person)
    chosen = next((one for one in listed if one.specialist.name == setup.specialist), None)
    return page(
        request,
        "assistant.html",
        person,
        chat=row,
        setup=setup,
        specialists=[(one.specialist.name, title_of(one)) for one in listed],
        chosen=chosen,
        examples=examples_in(chosen.specialist.examples, current_language()) if chosen else [],
        description=text_in(chosen.specialist.description, current_language()) if chosen else "",
        model=_model(services, person, chosen),
        untaught=untaught_by(chosen) if chosen else None,
        documents=documents_of(services, person, chosen.specialist, setup.knowledge) if chosen else None,
        most=services.settings.upload_bytes,
        **lately(exchanges, whole=whole),
        found=services.assistants.page(person),
        longest=LONGEST_QUESTION,
        texts=script_texts("assistant", _TEXTS, _PLACEHOLDERS),
    )


def _model(services: Workbench, person: Person, chosen: StoredSpecialist | None) -> dict[str, Any]:
    """What writes for a specialist: `references` and `bare` as they are loaded, `title`, or the `server`'s address;
    `missing`: why nothing can."""
    if chosen is None:
        return {"references": [], "bare": [], "title": "", "server": "", "missing": ""}
    server = chosen.specialist.server
    if server is not None:
        return {"references": [], "bare": [], "title": server.model or server.address, "server": server.address,
                "missing": ""}  # fmt: skip
    try:
        weights = services.specialists.weights(person, chosen.specialist, bare=True)
    except UserError as error:  # the run that it was trained by has been removed
        return {"references": [], "bare": [], "title": "", "server": "", "missing": str(error)}
    references = [one.reference for one in weights.values()]
    return {"references": references[:1], "bare": references, "title": weights["left"].title, "server": "",
            "missing": ""}  # fmt: skip
