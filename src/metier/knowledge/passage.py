"""A passage: the piece of a document that is found and cited."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document.

    id: of the document and the place in it; document: its id in the knowledge base; file: its name as shown; title: the
    law, case or contract; kind: how it was split (`statute`, `case`, `contract`, `plain`); article: as written, such as
    `第四十七条之一`, or the clause; path: headings above it, the highest first; start, end: characters of the
    document's text; page, last_page: where it stands; effective, until: in force from and before, where known.
    """

    id: str
    document: str
    file: str
    title: str
    kind: str
    text: str
    start: int
    end: int
    page: int
    last_page: int
    article: str = ""
    path: tuple[str, ...] = ()
    effective: date | None = None
    until: date | None = None

    @property
    def source(self) -> str:
        """Where it stands, in few words: `劳动合同法 第四十七条`, or the file."""
        return " ".join(part for part in (self.title or self.file, self.article) if part)


def passage_id(document: str, start: int, end: int) -> str:
    """The id of a place in a document: the same bytes split the same way give the same ids."""
    return hashlib.sha256(f"{document}:{start}:{end}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Filters:
    """What may be found. owner is always part of the query itself.

    documents: ids, empty for all; titles: laws or cases by name; article: as written; in_force_on: leaves out what was
    not yet or no longer in force that day (passages without dates stay).
    """

    owner: str
    documents: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    article: str = ""
    in_force_on: date | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found. base: the knowledge base; score: higher is better, comparable within one search only;
    reasons: why it ranks there (`text_rank`, `text_score`, `dense_rank`, `dense_score`, `law_bonus`, …); copies: the
    other passages that say the same, which it stands for (see `metier.knowledge.copies`)."""

    passage: Passage
    score: float
    base: str = ""
    reasons: dict[str, float] = field(default_factory=dict)
    copies: tuple[Passage, ...] = ()
