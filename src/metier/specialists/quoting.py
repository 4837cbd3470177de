"""Answers without a writer: the best passages word for word, each with its source."""

from __future__ import annotations

from dataclasses import dataclass

from metier.specialists.evidence import Citation, Evidence, Sentence
from metier.specialists.sentences import split_sentences
from metier.specialists.words import units

# A passage up to this long is quoted whole; of a longer one the sentences that speak of the question.
WHOLE = 360
QUOTED = 3


@dataclass(frozen=True, slots=True)
class Block:
    """A part of an answer's text with what it rests on; offsets count from the block's own beginning."""

    text: str
    citations: tuple[Citation, ...] = ()
    sentences: tuple[Sentence, ...] = ()

    def moved(self, by: int) -> Block:
        """The same at another place of the answer."""
        citations = tuple(
            Citation(c.number, c.start + by, c.end + by, c.quote_start, c.quote_end, c.exact) for c in self.citations
        )
        sentences = tuple(
            Sentence(s.start + by, s.end + by, s.factual, s.support, s.cited, s.verdict) for s in self.sentences
        )
        return Block(self.text, citations, sentences)


def quote(evidence: Evidence, question: str) -> Block:
    """One piece of evidence as a quotation: its source in bold, its words, its [number]."""
    # What a tool computed is one whole: a sum without its missing figures would mislead.
    whole = evidence.kind == "tool"
    start, end = _bare(evidence.text) if whole else best_words(evidence.text, question)
    words = evidence.text[start:end]
    cut = ("…" if start else ""), ("…" if end < len(evidence.text.rstrip()) else "")
    lines = "\n> ".join(line for line in words.splitlines() if line.strip())
    head = f"**{_plain(evidence.title)}**\n> {cut[0]}"
    body = f"{head}{lines}{cut[1]}"
    mark = f"[{evidence.number}]"
    text = f"{body} {mark}\n\n"
    citation = Citation(evidence.number, len(body) + 1, len(body) + 1 + len(mark), start, end, exact=True)
    sentence = Sentence(len(head), len(body) + 1 + len(mark), True, 1.0, (evidence.number,), "supported")
    return Block(text, (citation,), (sentence,))


def best_words(text: str, question: str) -> tuple[int, int]:
    """Start and end of what to quote: the whole of a short text, else the run of sentences nearest to the question."""
    left, right = _bare(text)
    if right - left <= WHOLE:
        return left, right
    wanted = set(units(question))
    spans, at = [], 0
    for sentence in split_sentences(text):
        spans.append((at, at + len(sentence), wanted & set(units(sentence))))
        at += len(sentence)
    best, best_score = (left, left), 0.0
    for first in range(len(spans)):
        met: set[str] = set()
        for last in range(first, len(spans)):
            if spans[last][1] - spans[first][0] > WHOLE and last > first:
                break
            met |= spans[last][2]
            # Of runs that say as much, the shortest.
            score = len(met) - 0.01 * (last - first)
            if score > best_score:
                best, best_score = (spans[first][0], spans[last][1]), score
    start, end = best
    # To the end of the paragraph: what is to be done stands behind what it is about.
    rest = text[end - 1 : start + WHOLE] if best_score else text[start : start + WHOLE]
    end = (end - 1 if best_score else start) + (len(rest.partition("\n")[0]) or 1)
    return start, start + len(text[start : max(end, best[1])][: 3 * WHOLE].rstrip())


def _bare(text: str) -> tuple[int, int]:
    """Start and end of a text without the blanks around it."""
    return len(text) - len(text.lstrip()), len(text.rstrip())


def _plain(title: str) -> str:
    """A title that cannot break out of its bold: a file's name is text from outside."""
    return " ".join(title.replace("*", "").replace("[", "(").replace("]", ")").split())
