"""What citations are worth: quoted words that are there, gold articles cited, and the mistakes of the support check.

1. Answers in quotations to real questions over 60,390 articles (../shared/data/law): each citation's words are looked
   up in the passage it names, letter by letter; and how many answers cite an article that the experts cite.
2. Written answers: the experts' own answers are given to the checker as if a model had written them, with marks on the
   passages found, some of them wrong. What is shown is looked at again: no mark without evidence, no quotation that is
   not there.
3. The support check by itself: experts' sentences that name one article, against that article and against another one
   of the same law nearby. The threshold is fitted on one seeded half, the shares are of the other.
4. Planted mistakes in sentences that passages bear out word for word: another figure, another article, a “not”.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.support.law import LAW, SEED, IndexBase, law_articles, law_base, law_questions, row

from metier.core.numerals import numeral
from metier.data.messages import message
from metier.engines.chatmodel import Delta, Request, Turn, Usage
from metier.specialists.answering import answer
from metier.specialists.citations import find_words, quotations
from metier.specialists.evidence import Answer
from metier.specialists.sentences import is_claim, split_sentences
from metier.specialists.spec import Specialist
from metier.specialists.support import SUPPORTED, support
from metier.specialists.words import articles, units

QUESTIONS = 300
_NAMES = re.compile(r"《[^》]*》|第[零一二三四五六七八九十百千\d]+[条款项]")


@dataclass
class Reciting:
    """A model that says what it is given, with a mark behind each sentence: right, wrong or of no passage at all."""

    text: str
    seed: int
    name: str = "reciting"
    context_length: int = 32_000
    can_call_tools: bool = False
    can_follow_schema: bool = False

    def count(self, turns: Sequence[Turn]) -> int:
        return sum(len(turn.message.text) for turn in turns)

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        draw = random.Random(self.seed)
        for sentence in split_sentences(self.text):
            said = sentence.rstrip()
            yield Delta("answer", f"{said[:-1]}[{draw.randint(1, 9)}]{said[-1:]}{sentence[len(said) :]}")
        yield Delta("end", finished_by="stop", usage=Usage())

    async def close(self) -> None:
        pass


def main() -> int:
    if not LAW.is_dir():
        print("the public data beside the project (shared/data) is absent")
        return 0
    law = law_articles()
    rows = [one for one in law_questions() if isinstance(one["answer"], str)]
    with tempfile.TemporaryDirectory() as folder:
        base = law_base(Path(folder), law)
        _quoted(rows[:QUESTIONS], base)
        _written(rows[:QUESTIONS], base)
    _support(rows, law)
    _planted(law)
    return 0


def _quoted(rows: list[Any], base: IndexBase) -> None:
    print(f"answers in quotations to {len(rows)} questions")
    answers = [_asked(asked["question"], base, None) for asked in rows]
    given = [(asked, one) for asked, one in zip(rows, answers, strict=True) if one.mode == "quoted"]
    row("abstained", len(rows) - len(given), len(rows))
    citations = [(one, citation) for _, one in given for citation in one.citations]
    row("quoted words in their passage", sum(_in_place(*pair) for pair in citations), len(citations))
    cited = [_cited_articles(one) & {*asked["gold_articles"]} for asked, one in given]
    row("answers that cite a gold article", sum(map(bool, cited)), len(cited))
    found = [{e.passage.start for e in one.evidence if e.passage} & {*asked["gold_articles"]} for asked, one in given]
    row("answers that found a gold article", sum(map(bool, found)), len(found))


def _written(rows: list[Any], base: IndexBase) -> None:
    print("\nexperts' answers with random marks, as the checker lets them through")
    answers = [_asked(asked["question"], base, Reciting(asked["answer"], number)) for number, asked in enumerate(rows)]
    written = [one for one in answers if one.mode == "written"]
    print(f"  {len(written)} written, {sum(one.mode == 'quoted' for one in answers)} quoted instead")
    citations = [(one, citation) for one in answers for citation in one.citations]
    row("marks that exist", sum(c.number in {e.number for e in one.evidence} for one, c in citations), len(citations))
    row("words pointed at are in the passage", sum(_points_inside(*pair) for pair in citations), len(citations))
    quoted = [
        (one, citation, quotation.text)
        for one in answers
        for sentence in one.sentences
        for citation in one.citations
        if sentence.start <= citation.start < sentence.end
        for quotation in quotations(one.text[sentence.start : sentence.end])
    ]
    right = sum(any(find_words(words, e.text) for e in one.evidence) for one, _, words in quoted)
    if quoted:
        row("words in quotation marks are there", right, len(quoted))
    claims = [sentence for one in written for sentence in one.sentences if sentence.factual]
    row("claims borne out by what was found", sum(s.verdict == "supported" for s in claims), len(claims))


def _support(rows: list[Any], law: list[Any]) -> None:
    fitted = [(support(said, [right]), support(said, [beside])) for said, right, beside in _pairs(rows[::2], law)]
    tried = [hundredths / 100 for hundredths in range(5, 100, 5)]
    least = next(t for t in tried if sum(beside >= t for _, beside in fitted) <= 0.05 * len(fitted))
    print(f"\nthe support check alone; threshold fitted on {len(fitted)} pairs: {least}, shipped: {SUPPORTED}")
    held = [(support(said, [right]), support(said, [beside])) for said, right, beside in _pairs(rows[1::2], law)]
    row("not believed: the article it names", sum(right < SUPPORTED for right, _ in held), len(held))
    row("believed: an article beside it", sum(beside >= SUPPORTED for _, beside in held), len(held))


def _pairs(rows: list[Any], law: list[Any]) -> list[tuple[str, str, str]]:
    """Experts' sentences that name one of their gold articles (its name taken out), that article's text, and the text
    of another one of the same law nearby."""
    draw = random.Random(SEED)
    pairs = []
    for asked in rows:
        gold: dict[str, list[Any]] = {}
        for index in asked["gold_articles"]:
            gold.setdefault(next(iter(articles(law[index]["article"])), ""), []).append(law[index])
        for sentence in split_sentences(asked["answer"]):
            named = articles(sentence)
            bare = _NAMES.sub("", sentence)
            right = gold.get(next(iter(named)), []) if len(named) == 1 else []
            if len(right) != 1 or not is_claim(sentence) or len(set(units(bare))) < 5:
                continue
            place = right[0]["id"]
            near = [a for a in law[max(0, place - 5) : place + 6] if a["law"] == right[0]["law"] and a["id"] != place]
            if near:
                pairs.append((bare, right[0]["text"], draw.choice(near)["text"]))
    return pairs


def _planted(law: list[Any]) -> None:
    print("\nplanted mistakes that are found")
    draw = random.Random(SEED)
    caught = {"another figure": [0, 0], "another article": [0, 0], "a not": [0, 0], "none (wrongly found)": [0, 0]}
    for one in draw.sample(law, 4000):
        sentence = next((s for s in split_sentences(one["text"]) if is_claim(s) and 12 <= len(s) <= 120), "")
        if not sentence:
            continue
        where = f"{one['law']} {one['article']}\n{one['text']}"
        changed = {
            "another figure": re.sub(r"[二三四五六七八九](?=(?:年|个月|日|倍|万元))", "十七", sentence, count=1),
            "another article": f"根据{one['law']}第{numeral(draw.randint(900, 1200))}条，{sentence}",
            "a not": re.sub("应当|可以", "不得", sentence, count=1) if "不" not in one["text"] else sentence,
            "none (wrongly found)": sentence + " ",
        }
        for kind, text in changed.items():
            if text != sentence:
                caught[kind][0] += support(text, [where]) < SUPPORTED
                caught[kind][1] += 1
    for kind, (found, of) in caught.items():
        row(kind, found, of)


def _asked(question: str, base: IndexBase, model: Any) -> Answer:
    specialist = Specialist(name="bench", knowledge=("law",))

    async def whole() -> Answer:
        turns = [Turn(message("user", question))]
        pieces = [piece async for piece in answer(specialist, "v1", turns, model=model, knowledge={"law": base})]
        return pieces[-1].answer  # type: ignore[return-value]

    return asyncio.run(whole())


def _cited_articles(answer: Answer) -> set[int]:
    """Ids of the articles that an answer cites; in this index an article's id is where it starts."""
    cited = {citation.number for citation in answer.citations}
    return {one.passage.start for one in answer.evidence if one.passage and one.number in cited}


def _in_place(answer: Answer, citation: Any) -> bool:
    """Whether the words before a mark stand letter by letter in the passage that it names."""
    text = next(one.text for one in answer.evidence if one.number == citation.number)
    words = " ".join(text[citation.quote_start : citation.quote_end].split())
    shown = " ".join(answer.text[: citation.start].replace("\n> ", " ").split())
    return bool(words) and words in shown


def _points_inside(answer: Answer, citation: Any) -> bool:
    text = next(one.text for one in answer.evidence if one.number == citation.number)
    return 0 <= citation.quote_start < citation.quote_end <= len(text)


if __name__ == "__main__":
    sys.exit(main())
