"""From a document to its passages: by structure first, then by paragraphs within a budget."""

from __future__ import annotations

from metier.knowledge.document import Document
from metier.knowledge.kinds import KINDS, recognise
from metier.knowledge.passage import Passage, passage_id


def split(document: Document, document_id: str, *, budget: int = 400, kind: str = "") -> list[Passage]:
    """The passages of a document in the order of its text.

    budget: tokens a passage holds at most, about one a Chinese character or English word; an article of a statute
    stays whole somewhat beyond it. kind: a name of `KINDS`, empty to recognise it. Raises ConfigError for an unknown
    kind.
    """
    kind = kind or recognise(document)
    return [
        Passage(
            id=passage_id(document_id, piece.start, piece.end),
            document=document_id,
            file=document.name,
            title=piece.title or document.title,
            kind=kind,
            text=document.text[piece.start : piece.end],
            start=piece.start,
            end=piece.end,
            page=document.page_at(piece.start),
            last_page=document.page_at(piece.end - 1),
            article=piece.article,
            path=piece.path,
            effective=piece.effective,
            until=piece.until,
        )
        for piece in KINDS.get(kind).split(document, budget)
    ]
