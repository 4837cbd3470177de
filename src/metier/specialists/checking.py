"""Each sentence of a written answer against its evidence: marks that exist, quotations that are true, claims that are
borne out. What is not is marked, or taken out, as the specialist's rules say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from metier.core.i18n import Language, translate
from metier.specialists.citations import cite, marks, mend, without_marks
from metier.specialists.draft import Draft
from metier.specialists.evidence import AnswerPiece, Evidence, Sentence
from metier.specialists.opinion import DOUBTFUL
from metier.specialists.quoting import Block
from metier.specialists.sentences import bare, is_claim
from metier.specialists.spec import AnswerRules
from metier.specialists.support import ATTACHED, SUPPORTED, support

# Claims without any support at the beginning of an answer after which the model counts as too weak to cite.
_PATIENCE = 5
# So many claims without support one after the other, or the same sentence so often, and the model is stopped.
_ASTRAY = 6
_REPEATED = 3
# A mark stays on a sentence only if its own evidence has at least this share of the sentence.
_CONTRIBUTES = 0.2


def check(
    sentence: str,
    evidence: Mapping[int, Evidence],
    rules: AnswerRules,
    language: Language,
    opinion: bool | None = None,
) -> Block:
    """A sentence as it may be said, its citations and what was found of it; an empty text where it is taken out.

    opinion: a model's, on a sentence that is `doubtful`.
    """
    cited, text, true = _mended(sentence, evidence)
    if not is_claim(text):
        kept = [n for n in cited if true and support(text, [_words(evidence[n])]) >= SUPPORTED]
        return _block(text, kept, evidence, 0.0, factual=False)
    score = support(text, [_words(evidence[n]) for n in cited]) if cited and true else 0.0
    if opinion or (opinion is None and score >= SUPPORTED):
        kept = [n for n in cited if support(text, [_words(evidence[n])]) >= _CONTRIBUTES]
        return _block(text, kept or cited, evidence, score, factual=True)
    if true and evidence and opinion is None:
        best = max(evidence, key=lambda n: support(text, [_words(evidence[n])]))
        if (attached := support(text, [_words(evidence[best])])) >= ATTACHED:
            return _block(_with_mark(without_marks(text), best), [best], evidence, attached, factual=True)
    if rules.unsupported == "remove":
        return Block("", sentences=(Sentence(0, 0, True, score, (), "unsupported"),))
    warned = rules.cite and rules.unsupported == "mark"
    plain = without_marks(text)
    said = _before_blanks(plain, translate("specialists.unsupported", language=language)) if warned else plain
    return _block(said, [], evidence, score, factual=True)


def doubtful(sentence: str, evidence: Mapping[int, Evidence]) -> list[str] | None:
    """The words that a sentence cites, where they neither plainly bear it out nor plainly do not; None otherwise."""
    cited, text, true = _mended(sentence, evidence)
    if not (cited and true and is_claim(text)):
        return None
    words = [_words(evidence[n]) for n in cited]
    return words if DOUBTFUL[0] <= support(text, words) < DOUBTFUL[1] else None


def _mended(sentence: str, evidence: Mapping[int, Evidence]) -> tuple[list[int], str, bool]:
    """The numbers a sentence cites that exist, its text with true quotations, and whether all of them are true."""
    cited = _existing(sentence, evidence)
    told = without_marks(sentence, keep=cited)
    return cited, *mend(told, [evidence[n] for n in cited] or list(evidence.values()))


@dataclass
class Checker:
    """Checks an answer sentence by sentence. Nothing is said before claims are borne out by documents or tools, and by
    no fewer than are not: an answer that only seems to cite is never begun.

    evidence: by number, growing while tools are used; lenient: says everything at once, weak or not; removed: claims
    that were taken out; begun: whether anything was said; lost: whether the model has left its evidence for good.
    """

    draft: Draft
    rules: AnswerRules
    language: Language
    evidence: dict[int, Evidence] = field(default_factory=dict)
    lenient: bool = False
    removed: int = 0
    held: list[Block] = field(default_factory=list)
    begun: bool = False
    lost: bool = False
    _borne_out: int = 0
    _claims: int = 0
    _astray: int = 0
    _said: Counter[str] = field(default_factory=Counter)

    def take(self, sentence: str, opinion: bool | None = None) -> list[AnswerPiece]:
        """Checks a sentence and returns what may be said now."""
        block = check(sentence, self.evidence, self.rules, self.language, opinion)
        self.held.append(block)
        self._count(sentence, block)
        return self.release() if self.lenient or self.begun or (self._claims > 1 and self._sound) else []

    def finish(self) -> list[AnswerPiece]:
        """What is said of the sentences still held back, now that no more come."""
        return self.release() if self.lenient or self.begun or self._sound else []

    def release(self) -> list[AnswerPiece]:
        """Says what was held back."""
        self.begun = True
        said = []
        for block in self.held:
            self.removed += not block.text
            said.append(self.draft.say(block))
        self.held.clear()
        return said

    @property
    def weak(self) -> bool:
        """Whether the model has shown that it cannot cite."""
        return not self.begun and (self._claims >= _PATIENCE or self.lost)

    @property
    def _sound(self) -> bool:
        return self._borne_out > 0 and 2 * self._borne_out >= self._claims

    def _count(self, sentence: str, block: Block) -> None:
        """Counts claims; what the user said himself is no sign that a model can cite."""
        words = bare(sentence)
        self._said[words] += 1
        # A tool's result names the user's words, and would bear out a model that only says the question again.
        echoed = support(words, [one.text for one in self.evidence.values() if one.kind == "user"]) >= ATTACHED
        for one in block.sentences:
            kinds = {self.evidence[number].kind for number in one.cited}
            self._claims += one.factual and kinds != {"user"}
            self._borne_out += one.factual and bool(kinds - {"user"}) and not echoed
            if one.factual:
                self._astray = 0 if one.verdict == "supported" else self._astray + 1
        if self.evidence and not self.lenient:
            self.lost = self._astray >= _ASTRAY or (len(words) >= 8 and self._said[words] >= _REPEATED)


def _existing(sentence: str, evidence: Mapping[int, Evidence]) -> list[int]:
    """The numbers that a sentence cites and that exist, each once."""
    numbers = [number for mark in marks(sentence) for number in mark.numbers]
    return [number for number in dict.fromkeys(numbers) if number in evidence]


def _words(evidence: Evidence) -> str:
    """What a piece of evidence says: its source is part of it (“by Article 44 …”)."""
    return f"{evidence.title}\n{evidence.text}"


def _block(text: str, cited: Sequence[int], evidence: Mapping[int, Evidence], score: float, *, factual: bool) -> Block:
    told = without_marks(text, keep=cited)
    if not told.strip():
        return Block(told)
    verdict = "supported" if factual and cited else "unsupported" if factual else "not_a_claim"
    start = len(told) - len(told.lstrip())
    sentence = Sentence(start, len(told.rstrip()), factual, score, tuple(cited), verdict)  # type: ignore[arg-type]
    return Block(told, tuple(cite(told, evidence)), (sentence,))


def _with_mark(sentence: str, number: int) -> str:
    return _before_blanks(sentence, f" [{number}]")


def _before_blanks(sentence: str, added: str) -> str:
    """A sentence with something added before the blanks at its end."""
    words = sentence.rstrip()
    return words + added + sentence[len(words) :]
