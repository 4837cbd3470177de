"""Rows of the medical sample sets, from the fact table and the wording."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any, Literal

import yaml

from tools.samples.facts import Language, Pair, Table, held_out_pairs

Part = Literal["train", "test"]
Topic = Literal["diagnosis", "test", "treatment"]
Row = dict[str, Any]
LETTERS = "ABCDE"


@cache
def wording() -> dict[str, Any]:
    """The sentence patterns of both languages."""
    return dict(yaml.safe_load(Path(__file__).with_name("wording.yaml").read_text(encoding="utf-8")))


class Writer:
    """Writes one part of a set in one language.

    table: what rows are made from; whole: the whole fact table, whose pairs are split once for all sets.
    """

    def __init__(self, table: Table, whole: Table, language: Language, part: Part, seed: int) -> None:
        self.table, self.language, self.part = table, language, part
        self.chance = random.Random(f"{seed}/{language}/{part}/{len(table.conditions)}")
        held = held_out_pairs(whole, seed)
        self.pairs = [pair for pair in table.pairs if ((pair.first, pair.second) in held) == (part == "test")]
        self._letters: list[str] = []

    def demo_row(self, pair: Pair) -> Row:
        """A short vignette with five conditions to choose from."""
        texts = wording()["demo"]
        first, second = self.chance.sample((pair.first, pair.second), 2)
        question = self._fill(self.chance.choice(texts[self.part]), first, second)
        letter, options = self._options(pair, "diagnosis")
        letters = {line[3:]: line[0] for line in options.splitlines()}
        fits = [
            " or ".join(f"{self._name(key)} {letters[self._name(key)]}" for key in self.table.findings[one].fits)
            for one in (first, second)
        ]
        a, b = self._finding(first), self._finding(second)
        answer = texts["answer"].format(a=a, fits_a=fits[0], b=b, fits_b=fits[1], letter=letter)
        return self._row(f"{question}\n{options}", answer, pair.condition, letter, (pair.first, pair.second))

    def choice_row(self, pair: Pair, topic: Topic) -> Row:
        """A vignette, a question on `topic`, five options; the answer reasons from both findings."""
        letter, options = self._options(pair, topic)
        texts = wording()["reasoning"][self.language]
        condition = self.table.conditions[pair.condition]
        value = "" if topic == "diagnosis" else getattr(condition, topic)[self.language]
        answer = self._reasoning(pair) + texts[topic].format(value=value) + texts["answer"].format(letter=letter)
        return self._row(
            f"{self._vignette(pair, topic)}\n{options}", answer, pair.condition, letter, (pair.first, pair.second)
        )

    def open_row(self, pair: Pair) -> Row:
        """A vignette with a free-form question; the answer names the condition, why, first test and first treatment."""
        condition = self.table.conditions[pair.condition]
        values = {key: getattr(condition, key)[self.language] for key in ("why", "test", "treatment")}
        answer = self._reasoning(pair) + wording()["reasoning"][self.language]["open"].format(**values)
        return self._row(self._vignette(pair, "open"), answer, pair.condition, None, (pair.first, pair.second))

    def single_rows(self) -> Iterator[Row]:
        """Free-form rows on one fact each, so that no held-out pair is given away."""
        texts = wording()["single"][self.language]
        for finding in self.table.findings.values():
            a = finding.text[self.language]
            answer = texts["finding_answer"].format(fits=self._names(finding.fits))
            for question in texts["finding"]:
                yield self._row(question.format(a=a, A=_capital(a)), answer, finding.fits[0], None, (finding.key,))
        for key, condition in self.table.conditions.items():
            values = {name: getattr(condition, name)[self.language] for name in ("name", "test", "treatment", "why")}
            for topic in ("test", "treatment", "why"):
                answer = texts[f"{topic}_answer"].format(**values)
                for question in texts[topic]:
                    yield self._row(question.format(**values), answer, key, None, ())

    def _vignette(self, pair: Pair, question: str) -> str:
        texts = wording()
        pattern = self.chance.choice(texts["vignette"][self.language][self.part])
        asked: str = self.chance.choice(texts["question"][question][self.language][self.part])
        first, second = self.chance.sample((pair.first, pair.second), 2)
        return self._fill(pattern, first, second) + (" " if self.language == "en" else "") + asked

    def _fill(self, pattern: str, first: str, second: str) -> str:
        """`pattern` with the findings in the order given, and a person."""
        a, b = self._finding(first), self._finding(second)
        man, he = self.chance.choice(wording()["sexes"][self.language])
        age = self.chance.randint(21, 79)
        return str(pattern.format(a=a, b=b, A=_capital(a), man=man, Man=_capital(man), he=he, age=age))

    def _reasoning(self, pair: Pair) -> str:
        a, b = self._finding(pair.first), self._finding(pair.second)
        fits = [self._names(self.table.findings[key].fits) for key in (pair.first, pair.second)]
        pattern = wording()["reasoning"][self.language]["both"]
        name = self._name(pair.condition)
        texts = {"a": a, "b": b, "A": _capital(a), "B": _capital(b), "fits_a": fits[0], "fits_b": fits[1]}
        return str(pattern.format(**texts, name=name))

    def _options(self, pair: Pair, topic: Topic) -> tuple[str, str]:
        """The right letter and five lines: all that either finding fits where there is room, else one rival each."""
        fits = [self.table.findings[key].fits for key in (pair.first, pair.second)]
        chosen = [c for c in dict.fromkeys((*fits[0], *fits[1])) if c != pair.condition]
        if len(chosen) >= len(LETTERS):
            chosen = [self.chance.choice([c for c in one if c != pair.condition]) for one in fits]
        others = [c for c in self.table.conditions if c not in (pair.condition, *chosen)]
        chosen += self.chance.sample(others, len(LETTERS) - 1 - len(chosen))
        self.chance.shuffle(chosen)
        letter = self._letter()
        chosen.insert(LETTERS.index(letter), pair.condition)
        attribute = "name" if topic == "diagnosis" else topic
        values = [getattr(self.table.conditions[key], attribute)[self.language] for key in chosen]
        return letter, "\n".join(f"{mark}. {value}" for mark, value in zip(LETTERS, values, strict=True))

    def _letter(self) -> str:
        """The next answer letter: each of A–E once in every five rows, in random order."""
        if not self._letters:
            self._letters = self.chance.sample(LETTERS, len(LETTERS))
        return self._letters.pop()

    def _row(self, prompt: str, answer: str, condition: str, letter: str | None, facts: tuple[str, ...]) -> Row:
        name = self._name(condition)
        meta = {
            "answer": letter or name,
            "kind": "choice" if letter else "open",
            "subject": self.table.conditions[condition].subject,
            "language": self.language,
            "facts": list(facts),
        }
        messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
        return {"messages": messages, "meta": meta}

    def _name(self, condition: str) -> str:
        return self.table.conditions[condition].name[self.language]

    def _names(self, conditions: tuple[str, ...]) -> str:
        texts = wording()["reasoning"][self.language]
        names = [self._name(key) for key in conditions]
        return str(texts["join"].join(names[:-1]) + texts["last"] + names[-1])

    def _finding(self, key: str) -> str:
        return self.table.findings[key].text[self.language]


def demo_rows(table: Table, part: Part, seed: int, count: int) -> list[Row]:
    """`count` short English choice rows, conditions in turn and each one's pairs in turn, in random order."""
    writer = Writer(table.demo(), table, "en", part, seed)
    rows = [writer.demo_row(pair) for pair in _in_turn(writer, count)]
    writer.chance.shuffle(rows)
    return rows


def sample_rows(table: Table, language: Language, part: Part, seed: int) -> list[Row]:
    """All rows of the full set: choice rows on three topics, free-form rows, and (training) rows on single facts."""
    writer = Writer(table, table, language, part, seed)
    rows = []
    for pair in writer.pairs:
        rows.append(writer.choice_row(pair, "diagnosis"))
        rows += [writer.choice_row(pair, topic) for topic in ("test", "treatment") if part == "train"]
        rows.append(writer.choice_row(pair, "diagnosis") if part == "train" else writer.choice_row(pair, "test"))
        if part == "train" or writer.chance.random() < 0.5:
            rows.append(writer.open_row(pair))
    if part == "train":
        rows += writer.single_rows()
    writer.chance.shuffle(rows)
    return rows


def _in_turn(writer: Writer, count: int) -> list[Pair]:
    """`count` pairs: conditions take turns, and so do the pairs of each."""
    queues = []
    for condition in writer.table.conditions:
        pairs = [pair for pair in writer.pairs if pair.condition == condition]
        writer.chance.shuffle(pairs)
        queues.append(cycle(pairs))
    turns = cycle(queues)
    return [next(next(turns)) for _ in range(count)]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
