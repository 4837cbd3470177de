"""The documents beside a conversation: which bases are searched, and what became of the files that were brought."""

from __future__ import annotations

from dataclasses import dataclass

from metier.api.routes.knowledge import arrival_view
from metier.core.i18n import translate
from metier.specialists.samples import SAMPLE_BASES
from metier.specialists.spec import Specialist
from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench

_ARRIVALS = 8  # files on their way that are shown
_DONE = 4  # files that are there that are shown by name


@dataclass(frozen=True)
class Base:
    """A knowledge base to tick. own: whether the specialist names it itself."""

    name: str
    documents: int
    passages: int
    on: bool
    own: bool


@dataclass(frozen=True)
class Documents:
    """What the panel shows.

    done: how many files have come and are indexed; target: the base that a new file goes into, made with the first one
    where it is not there; coming: whether something is still being read; missing: of bases that the specialist
    names and nobody has made, what to do.
    """

    bases: list[Base]
    arrivals: list[dict[str, object]]
    done: int
    target: str
    exists: bool
    coming: bool
    missing: list[str]


def documents_of(
    services: Workbench, person: Person, specialist: Specialist, chosen: tuple[str, ...] | None
) -> Documents:
    """The panel for a specialist. chosen: bases that are searched instead of its own."""
    wanted = specialist.knowledge if chosen is None else chosen
    counted = services.knowledge.bases(person)
    bases = [
        Base(one.base.name, one.documents, one.passages, one.base.name in wanted, one.base.name in specialist.knowledge)
        for one in counted
    ]
    there = {one.name for one in bases}
    own = [name for name in wanted if name not in SAMPLE_BASES]  # what somebody brings is not mixed with samples
    target = next((name for name in own if name in there), (*own, specialist.name)[0])
    found = [
        {**arrival_view(one), "base": name}
        for name in ([one.name for one in bases if one.on] or [target])
        if name in there
        for one in services.knowledge.arrivals(person, name)
    ]
    found = sorted(found, key=lambda one: str(one["came"]), reverse=True)
    done = [one for one in found if one["state"] == "done"]
    others = [one for one in found if one["state"] != "done"]
    return Documents(
        bases=sorted(bases, key=lambda one: (not one.on, one.name)),
        arrivals=[*others[:_ARRIVALS], *done[:_DONE]],
        done=len(done),
        target=target,
        exists=target in there,
        coming=any(one["state"] in ("waiting", "reading") for one in found),
        missing=[_said_of_missing(name) for name in specialist.knowledge if name not in there],
    )


def _said_of_missing(name: str) -> str:
    """A base that is not there is empty, and what fills it."""
    return translate(f"web.assistant_no_{'samples' if name in SAMPLE_BASES else 'base'}", name=name)
