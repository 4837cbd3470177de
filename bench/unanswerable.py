"""Questions without an answer in the documents, or with a false premise: how often each mistake is made.

Two mistakes: an answer where there is none (`answered`), and a refusal where there is one (`refused`). Both are printed
with Wilson intervals. The threshold is fitted on one seeded half of the real questions (../shared/data/law), and all
figures are of what it was not fitted to: the other half, and questions in the project's own words.

Documents: the four labour statutes. Real questions whose gold articles are in them have an answer there; those whose
gold articles are all in other laws have none, and are near enough to be hard. Then the same over all 60,390 articles.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.support.law import LAW, IndexBase, law_articles, law_base, law_questions, row

from metier.data.messages import message
from metier.engines.chatmodel import Turn
from metier.specialists.answering import answer
from metier.specialists.evidence import Answer
from metier.specialists.finding import find, queries
from metier.specialists.spec import Retrieval, Specialist

FOUR = ("劳动法", "劳动合同法", "工资支付暂行规定", "劳动争议调解仲裁法")
# Of real questions that have an answer, the share that may be refused on the half that the threshold is fitted to.
MAY_REFUSE = 0.05


def main() -> int:
    if not LAW.is_dir():
        print("the public data beside the project (shared/data) is absent")
        return 0
    articles, rows = law_articles(), law_questions()
    with tempfile.TemporaryDirectory() as folder:
        four = law_base(Path(folder) / "four", [one for one in articles if one["law"] in FOUR])
        everything = law_base(Path(folder) / "all", articles)
        _measure(rows, articles, four, everything)
    return 0


def _measure(rows: list[Any], articles: list[Any], four: IndexBase, everything: IndexBase) -> None:
    inside = [one["question"] for one in rows if any(articles[gold]["law"] in FOUR for gold in one["gold_articles"])]
    outside = [one["question"] for one in rows if one["question"] not in set(inside)]
    fitted = np.array([_relevance(question, four) for question in inside[::2]])
    threshold = round(float(np.quantile(fitted, MAY_REFUSE)), 2)
    print(f"threshold fitted on {len(fitted)} answerable questions over the four statutes: {threshold:.2f}")
    print(f"shipped: {Retrieval().min_support:.2f}\n")
    own = yaml.safe_load(Path(__file__).with_name("unanswerable_questions.yaml").read_text(encoding="utf-8"))
    print(f"{sum(map(len, own.values()))} questions of our own, {len(inside)} + {len(outside)} real ones\n")
    for named, least in (("fitted", threshold), ("shipped", Retrieval().min_support)):
        print(f"four statutes, threshold {least:.2f} ({named})")
        wrong = 0
        for kind, questions in own.items():
            missed = [one for one in questions if not _honest(_asked(one, four, least))]
            wrong += len(missed)
            row(f"answered: {kind}", len(missed), len(questions))
        row("answered: all of our own", wrong, sum(map(len, own.values())))
        far = outside[1::2]
        row("answered: real, other laws", sum(_relevance(one, four) >= least for one in far), len(far))
        near = inside[1::2]
        answers = [_asked(one, four, least) for one in near]
        row("refused: real, held-out half", sum(one.mode == "abstained" for one in answers), len(near))
        row("warned of a figure without need", sum(_warns(one) for one in answers), len(near))
        print()
    held = [_relevance(one["question"], everything) for one in rows[1::2]]
    everyday = [_relevance(question, everything) for question in own["everyday"]]
    for named, least in (("fitted", threshold), ("shipped", Retrieval().min_support)):
        print(f"all {everything.index.count():,} articles, threshold {least:.2f} ({named})")
        row("refused: real, held-out half", sum(one < least for one in held), len(held))
        row("answered: everyday", sum(one >= least for one in everyday), len(everyday))


def _relevance(question: str, base: IndexBase) -> float:
    return asyncio.run(find(queries([question]), {"law": base}, Retrieval())).relevance


def _asked(question: str, base: IndexBase, threshold: float) -> Answer:
    specialist = Specialist(name="bench", knowledge=("law",), retrieval=Retrieval(min_support=threshold))

    async def whole() -> Answer:
        turns = [Turn(message("user", question))]
        pieces = [piece async for piece in answer(specialist, "v1", turns, model=None, knowledge={"law": base})]
        return pieces[-1].answer  # type: ignore[return-value]

    return asyncio.run(whole())


def _honest(answer: Answer) -> bool:
    """Whether an answer to a question without one says so, or points out the figure that is not there."""
    return answer.mode == "abstained" or _warns(answer)


def _warns(answer: Answer) -> bool:
    return "没有出现" in answer.text


if __name__ == "__main__":
    sys.exit(main())
