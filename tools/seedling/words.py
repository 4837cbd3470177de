"""The words that the seedling's tokenizer holds, and the exercise that gives each of them a meaning on both sides."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from tools.charts.chart import COLOURS, TOY_DAYS, TOY_LABELS, toy_chart
from tools.charts.toy import SEEDLING_TITLES, Question, seedling_questions

# Plain words of people who talk of charts and reports; any other text is spelled in bytes.
PLAIN = Path(__file__).with_name("words.txt").read_text(encoding="utf-8").split()
_SPOKEN = [*COLOURS, *TOY_DAYS, *(label for labels in TOY_LABELS.values() for label in labels)]
_SPOKEN += [str(number) for number in range(0, 101, 10)]


def corpus(seed: int) -> Iterator[str]:
    """Text that the tokenizer is fitted to: the seedling's own questions and answers, and the plain words."""
    chance = random.Random(f"{seed}/corpus")
    for _ in range(400):
        for kind in ("bar", "line", "stacked", "pie", "candlestick"):
            for question in seedling_questions(toy_chart(kind, chance.choice(SEEDLING_TITLES), chance), chance):
                yield f"{question.text}\n{question.answer}"
    for role in ("user", "assistant", "system"):
        yield from [f"{role}\n\n"] * 400
    for _ in range(300):
        words = chance.sample([*PLAIN, *_SPOKEN], 12)
        yield " ".join(words)
        yield " ".join(word.capitalize() for word in words)


def repeat_question(chance: random.Random) -> Question:
    """A phrase to say again."""
    phrase = " ".join(chance.choices([*PLAIN, *_SPOKEN], k=chance.randint(1, 4)))
    return Question("repeat", f"Repeat: {phrase}", phrase)
