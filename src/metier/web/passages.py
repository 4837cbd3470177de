"""Passages as pages show them: words of a question marked, a place in a document within what is shown of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from metier.core.i18n import has_text, translate
from metier.knowledge.document import Document
from metier.knowledge.matching import matches, shared_words
from metier.knowledge.passage import Hit, Passage

_MARK, _NAMED, _END = Markup("<mark>"), Markup('<mark id="place">'), Markup("</mark>")
WINDOW = 8_000  # characters of a page's text that are shown at once


@dataclass(frozen=True)
class Found:
    """A passage that was found, its words of the question marked. words: those that it shares with the question;
    reasons: what its rank is made of, in the reader's language; share: of the best score, 0 to 1."""

    number: int
    hit: Hit
    text: Markup
    words: list[str]
    reasons: list[tuple[str, float]]
    share: float


@dataclass(frozen=True)
class Reading:
    """A piece of a document: a page, or of a long one the characters around a place.

    before, after: offsets of the pieces beside it on the same page, None where it ends; text: with the place marked;
    passages: those that stand in it.
    """

    number: int
    last: int
    start: int
    end: int
    before: int | None
    after: int | None
    text: Markup
    passages: list[Passage]
    origin: str
    confidence: float | None


def found_views(question: str, hits: Sequence[Hit]) -> list[Found]:
    """What a search found, the best first."""
    best = max((hit.score for hit in hits), default=0.0) or 1.0
    return [
        Found(
            number,
            hit,
            marked(hit.passage.text, [(match.start, match.end) for match in matches(question, hit.passage.text)]),
            shared_words(question, hit.passage.text),
            [(_reason(name), value) for name, value in hit.reasons.items()],
            max(0.0, min(1.0, hit.score / best)),
        )
        for number, hit in enumerate(hits, 1)
    ]


def _reason(name: str) -> str:
    key = f"web.knowledge_reason_{name}"
    return translate(key) if has_text(key) else name.replace("_", " ")


def marked(text: str, spans: Iterable[tuple[int, int]], *, named: bool = False) -> Markup:
    """Text with ranges in `<mark>`, everything else escaped. named: the first mark is `#place`, to be scrolled to."""
    parts: list[Markup] = []
    place, opening = 0, _NAMED if named else _MARK
    for start, end in spans:
        start, end = max(start, place), min(end, len(text))
        if start < end:
            parts += [escape(text[place:start]), opening, escape(text[start:end]), _END]
            place, opening = end, _MARK
    return Markup("").join([*parts, escape(text[place:])])


def place_of(
    document: Document, passages: Sequence[Passage], *, passage: str, start: int | None, end: int | None
) -> tuple[tuple[int, int] | None, bool]:
    """The characters that an address names, None where it names none; and whether it names some that are not here."""
    if start is not None and end is not None and start < end:
        return ((start, min(end, len(document.text))), False) if start < len(document.text) else (None, True)
    if not passage:
        return None, False
    found = next((one for one in passages if one.id == passage), None)
    return ((found.start, found.end), False) if found is not None else (None, True)


def reading_of(
    document: Document,
    passages: Sequence[Passage],
    place: tuple[int, int] | None,
    *,
    page: int | None = None,
    first: int | None = None,
) -> Reading:
    """What a page of a document shows. page: its number, the place's or the first where left out; first: character to
    begin with on a page that is too long to be shown whole."""
    pages = document.pages
    wanted = page if page is not None else document.page_at(place[0] if place else first or 0)
    at = next((one for one in pages if one.number == wanted), pages[0])
    start, end = at.start, at.end
    if end - start > WINDOW:
        start = first if first is not None else place[0] - WINDOW // 16 if place else start
        start = min(max(at.start, start), at.end - 1)
        start = max(at.start, document.text.rfind("\n", at.start, start) + 1, start - WINDOW // 8)
        end = min(at.end, start + WINDOW)
    spans = [(place[0] - start, place[1] - start)] if place and place[1] > start and place[0] < end else []
    return Reading(
        number=at.number,
        last=pages[-1].number,
        start=start,
        end=end,
        before=max(at.start, start - WINDOW * 3 // 4) if start > at.start else None,
        after=end if end < at.end else None,
        text=marked(document.text[start:end], spans, named=True),
        passages=[one for one in passages if one.start < end and one.end > start],
        origin=at.origin,
        confidence=at.confidence,
    )
