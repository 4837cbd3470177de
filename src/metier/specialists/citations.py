"""Citations that are evidence: every [n] exists, quoted words stand in what they are quoted from, and each citation
points at the words it rests on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metier.specialists.evidence import Citation, Evidence
from metier.specialists.sentences import MARK, bare
from metier.specialists.words import units

_QUOTED = re.compile(r"“([^“”\n]{2,400})”|「([^「」\n]{2,400})」|『([^『』\n]{2,400})』|\"([^\"\n]{2,400})\"")
# Shorter ones are names and words in quotation marks, not quotations.
_QUOTED_UNITS = 4
# A quotation this alike is the passage's words miswritten, and gets the passage's own.
_ALIKE = 88
_CLAUSE_END = "。；;！!？?\n"


@dataclass(frozen=True, slots=True)
class Quotation:
    """Words in quotation marks at start:end of a sentence (the marks not included)."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A bracket that cites, at start:end of a sentence, blanks before it included."""

    start: int
    end: int
    numbers: tuple[int, ...]


def marks(sentence: str) -> list[Mark]:
    """The [n] and [n, m] of a sentence."""
    return [
        Mark(found.start(), found.end(), tuple(int(one) for one in re.findall(r"\d+", found[1])))
        for found in MARK.finditer(sentence)
    ]


def quotations(sentence: str) -> list[Quotation]:
    """The quotations of a sentence."""
    found = []
    for match in _QUOTED.finditer(sentence):
        index = next(index for index in range(1, 5) if match[index] is not None)
        if len(units(match[index])) >= _QUOTED_UNITS:
            found.append(Quotation(match.start(index), match.end(index), match[index]))
    return found


def find_words(words: str, text: str) -> tuple[int, int, bool] | None:
    """Where quoted words stand in a text: start, end, and whether letter by letter; None if they do not."""
    exact = text.find(words)
    if exact >= 0:
        return exact, exact + len(words), True
    plain, origin = _squeezed(text)
    wanted, _ = _squeezed(words)
    at = plain.find(wanted) if wanted else -1
    if at >= 0:
        return origin[at], origin[at + len(wanted) - 1] + 1, True
    from rapidfuzz import fuzz

    if not wanted or len(wanted) > len(plain):
        return None
    near = fuzz.partial_ratio_alignment(wanted, plain, score_cutoff=_ALIKE)
    if near is None or near.dest_end <= near.dest_start:
        return None
    return origin[near.dest_start], origin[near.dest_end - 1] + 1, False


def rests_on(sentence: str, evidence: Evidence) -> tuple[int, int, bool]:
    """The words of the evidence that a sentence rests on: its own quotation, else the clauses nearest to it."""
    for quotation in quotations(sentence):
        found = find_words(quotation.text, evidence.text)
        if found:
            return found
    said = bare(sentence)
    if len(said) >= 6 and (found := find_words(said.rstrip("。.；;，,"), evidence.text)):
        return found
    start, end = nearest_clauses(said, evidence.text)
    return start, end, False


def mend(sentence: str, evidence: Sequence[Evidence]) -> tuple[str, bool]:
    """A sentence whose quotations stand letter by letter in the evidence, and whether all of them do.

    A quotation that differs by a few letters gets the evidence's own words; one that is not there is left, and the
    answer is False.
    """
    mended, true = sentence, True
    for quotation in reversed(quotations(sentence)):
        for one in evidence:
            found = find_words(quotation.text, one.text)
            if found:
                words = " ".join(one.text[found[0] : found[1]].split("\n"))
                mended = mended[: quotation.start] + words + mended[quotation.end :]
                break
        else:
            true = False
    return mended, true


def cite(sentence: str, evidence: Mapping[int, Evidence]) -> list[Citation]:
    """The citations of a sentence whose marks all exist."""
    found = []
    for mark in marks(sentence):
        blank = len(sentence[mark.start : mark.end]) - len(sentence[mark.start : mark.end].lstrip())
        for number in mark.numbers:
            start, end, exact = rests_on(sentence, evidence[number])
            found.append(Citation(number, mark.start + blank, mark.end, start, end, exact))
    return found


def without_marks(sentence: str, *, keep: Sequence[int] = ()) -> str:
    """A sentence without its marks, or with only the numbers in `keep`."""
    for mark in reversed(marks(sentence)):
        kept = [number for number in mark.numbers if number in keep]
        told = (
            "".join(f" [{number}]" for number in kept)
            if kept != list(mark.numbers)
            else sentence[mark.start : mark.end]
        )
        sentence = sentence[: mark.start] + (told if kept else "") + sentence[mark.end :]
    return sentence


def nearest_clauses(said: str, text: str) -> tuple[int, int]:
    """The run of up to three sentences or clauses that shares most with what was said, for its length."""
    spans, start = [], 0
    for index, character in enumerate(text):
        if character in _CLAUSE_END or index == len(text) - 1:
            if text[start : index + 1].strip():
                spans.append((start, index + 1))
            start = index + 1
    wanted = set(units(said))
    best, best_score = (0, len(text)), 0.0
    for first in range(len(spans)):
        for last in range(first, min(first + 3, len(spans))):
            window = set(units(text[spans[first][0] : spans[last][1]]))
            shared = len(wanted & window)
            score = 2 * shared / (len(wanted) + len(window)) if shared else 0.0
            if score > best_score:
                best, best_score = (spans[first][0], spans[last][1]), score
    start, end = best
    start += len(text[start:end]) - len(text[start:end].lstrip())
    return start, start + len(text[start:end].rstrip())


def _squeezed(text: str) -> tuple[str, list[int]]:
    """A text without blanks, with one kind of punctuation and width, and where each character came from."""
    plain, origin = [], []
    for index, character in enumerate(text):
        for one in unicodedata.normalize("NFKC", character):
            if not one.isspace():
                plain.append(_SAME.get(one, one.lower()))
                origin.append(index)
    return "".join(plain), origin


_SAME = {
    "，": ",",
    "。": ".",
    "；": ";",
    "：": ":",
    "（": "(",
    "）": ")",
    "！": "!",
    "？": "?",
    "“": '"',
    "”": '"',
    "、": ",",
}
