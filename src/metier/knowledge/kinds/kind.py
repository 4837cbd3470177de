"""What a kind of document knows: whether a document is one, and where its pieces lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from metier.knowledge.document import Document


@dataclass(frozen=True, slots=True)
class Piece:
    """A place in a document's text that becomes a passage. The fields are those of `Passage`; an empty title stands
    for the document's."""

    start: int
    end: int
    title: str = ""
    article: str = ""
    path: tuple[str, ...] = ()
    effective: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document.

    recognise: whether a document is of it; split: its pieces in the order of the text, none longer than the budget of
    tokens but where the kind's own structure says so.
    """

    recognise: Callable[[Document], bool]
    split: Callable[[Document, int], Iterator[Piece]]
