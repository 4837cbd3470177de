"""Which words of a question stand in a passage: what a page marks, and says why the passage was found."""

from __future__ import annotations

from dataclasses import dataclass

from metier.knowledge.terms import query_terms

_LONGEST = 400  # characters of a question's terms that are looked for


@dataclass(frozen=True, slots=True)
class Match:
    """A run of a text that holds words of the question, at start:end."""

    start: int
    end: int


def matches(question: str, text: str) -> list[Match]:
    """Where words of the question stand in a text, in order; neighbouring pairs of characters are one run."""
    lower = text.lower()
    if len(lower) != len(text):  # a few letters have longer small ones: then as it stands
        lower = text
    spans = []
    for term in query_terms(question)[:_LONGEST]:
        place = lower.find(term)
        while place >= 0:
            end = place + len(term)
            if _is_word(term, lower, place, end):
                spans.append((place, end))
            place = lower.find(term, place + 1)
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return [Match(start, end) for start, end in joined]


def shared_words(question: str, text: str, *, most: int = 12) -> list[str]:
    """The runs that question and text share, the longest first, each once."""
    found = {text[match.start : match.end] for match in matches(question, text)}
    return sorted(found, key=lambda word: (-len(word), word))[:most]


def _is_word(term: str, text: str, start: int, end: int) -> bool:
    """Whether a term stands there as a word of its own; Chinese has no gaps between words."""
    if term >= "\u3400":
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (before.isalnum() and before < "\u3400") and not (after.isalnum() and after < "\u3400")
