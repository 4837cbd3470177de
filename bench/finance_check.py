"""Of wrong figures planted in findings, how many the check flags, and how many right ones it flags wrongly.

Findings are written from the gold answers of TAT-QA's development set (`tatqa_dev.jsonl`): a statement is the question
as a sentence with the answer and its scale; where the answer is computed its working stands beside it, as the schema of
findings asks. In each, one digit, unit or period is made wrong; the check sees the unaltered tables and texts. The
rules were made looking at a seeded 70 % of the contexts, and are reported on the other 30 %, which nobody looked at.

    python bench/finance_check.py path/to/tatqa_dev.jsonl [--part tune|report|all] [--no-working] [--show 20]
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from metier.evaluate.bootstrap import wilson
from metier.specialists.finance.amounts import read_cell
from metier.specialists.finance.checking import Stated, Statement, check
from metier.specialists.finance.evidence import Evidence
from metier.specialists.finance.gridreading import read_grid

SEED = 20261128
TUNED = 0.7  # of the contexts were looked at
BAR_FLAGGED, BAR_FALSE = 0.95, 0.05
_YEAR = re.compile(r"(?<![\d.,$])(?:19|20)\d\d(?!\d|[.,]\d)")
_UNITS = {"thousand": "million", "million": "billion", "billion": "million", "percent": "basis points"}


@dataclass(frozen=True)
class Case:
    statement: Statement
    evidence: Evidence
    years: tuple[str, ...]
    scale: str
    answer: str
    source: str
    kind: str


def cases(path: Path, part: str, working: bool) -> list[Case]:
    """A case for each gold answer that is a figure."""
    contexts = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    order = list(range(len(contexts)))
    random.Random(SEED).shuffle(order)
    tune = set(order[: int(len(order) * TUNED)])
    found = []
    for number, context in enumerate(contexts):
        if part != "all" and (number in tune) != (part == "tune"):
            continue
        texts = [one["text"] for one in context["paragraphs"]]
        sheet = read_grid(context["table"]["table"], near=texts)
        evidence = Evidence([sheet], texts)
        years = tuple(
            sorted({year for row in context["table"]["table"] for cell in row for year in _YEAR.findall(cell)})
        )
        for question in context["questions"]:
            if made := case(question, evidence, years, working):
                found.append(made)
    return found


def case(question: dict, evidence: Evidence, years: tuple[str, ...], working: bool) -> Case | None:
    """The finding that says a gold answer, or None where it is not one figure."""
    if question["answer_type"] not in ("span", "arithmetic"):
        return None
    answer = question["answer"]
    text = str(answer[0] if isinstance(answer, list) else answer)
    amount = read_cell(text)
    if amount is None or not re.fullmatch(r"[^A-Za-z]*(?:(?:million|thousand|billion|percent)[^A-Za-z]*)?", text):
        return None
    scale = question["scale"]
    if scale and not amount.scale and amount.unit == "number":
        amount = with_unit(amount, scale)
    how = question["derivation"] if working and question["answer_type"] == "arithmetic" else ""
    stated = Stated(amount, how)
    return Case(
        Statement(sentence(question["question"], text, scale), (stated,)),
        evidence,
        years,
        scale,
        text,
        question["answer_from"],
        question["answer_type"],
    )


def with_unit(amount, scale):
    return replace(read_cell(f"1 {scale}"), value=amount.value, decimals=amount.decimals, currency=amount.currency)


def sentence(question: str, answer: str, scale: str) -> str:
    """The question as a statement; figures are given beside it, the words are what rows and periods are found by."""
    said = re.sub(
        r"^(what|how much|how many)\s+(is|was|were|are|did|does)?\s*", "", question.strip(" ?"), flags=re.IGNORECASE
    )
    return f"{said}: {answer} {scale}".strip()


def plant(case: Case, kind: str, rng: random.Random) -> Statement | None:
    """The finding with one thing wrong, None where it has none of that kind."""
    stated = case.statement.figures[0]
    amount = stated.amount
    if kind == "digit":
        digits = f"{abs(amount.value)}"
        places = [place for place, one in enumerate(digits) if one.isdigit()]
        place = rng.choice(places)
        new = rng.choice([one for one in "0123456789" if one != digits[place] and not (place == 0 and one == "0")])
        value = Decimal(digits[:place] + new + digits[place + 1 :])
        return replace(
            case.statement, figures=(replace(stated, amount=replace(amount, value=value.copy_sign(amount.value))),)
        )
    if kind == "unit":
        if not case.scale:
            return None
        wrong = with_unit(amount, _UNITS[case.scale])
        return replace(case.statement, figures=(replace(stated, amount=wrong),))
    named = _YEAR.findall(case.statement.text)
    others = [year for year in case.years if year not in named]
    if not named or not others:
        return None
    old, new = rng.choice(named), rng.choice(others)
    return replace(case.statement, text=case.statement.text.replace(old, new))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--part", default="report", choices=["tune", "report", "all"])
    parser.add_argument("--no-working", action="store_true")
    parser.add_argument("--show", type=int, default=0)
    asked = parser.parse_args()
    rng = random.Random(SEED + 1)
    began = time.perf_counter()
    found = cases(asked.data, asked.part, not asked.no_working)
    false = 0
    problems: Counter[str] = Counter()
    shown = 0
    for one in found:
        flags = check([one.statement], one.evidence)
        false += bool(flags)
        if flags:
            problems[f"{flags[0].problem} {one.kind}"] += 1
            if shown < asked.show:
                shown += 1
                print(
                    "FALSE",
                    flags[0].problem,
                    "|",
                    one.statement.text,
                    "|",
                    one.statement.figures[0].working,
                    "|",
                    flags[0].found,
                    sorted(map(str, {e.period for s in one.evidence.sheets for e in s.entries}))[:5],
                    [s.scale for s in one.evidence.sheets],
                )
    caught: Counter[str] = Counter()
    planted: Counter[str] = Counter()
    shown = 0
    for kind in ("digit", "unit", "period"):
        for one in found:
            wrong = plant(one, kind, rng)
            if wrong is None:
                continue
            planted[kind] += 1
            flags = check([wrong], one.evidence)
            caught[kind] += bool(flags)
            if not flags and shown < asked.show:
                shown += 1
                print("MISSED", kind, "|", wrong.text, "|", wrong.figures[0], "| was", one.statement.text[-40:])
    print(
        f"{len(found)} findings ({asked.part} part), {'without' if asked.no_working else 'with'} workings; "
        f"{time.perf_counter() - began:.1f} s"
    )
    for kind in planted:
        print(line(f"wrong {kind} flagged", caught[kind], planted[kind]))
    all_caught, all_planted = sum(caught.values()), sum(planted.values())
    print(line("wrong figures flagged", all_caught, all_planted), f"  bar ≥ {BAR_FLAGGED:.0%}")
    print(line("right figures flagged", false, len(found)), f"  bar ≤ {BAR_FALSE:.0%}", dict(problems))


def line(name: str, count: int, total: int) -> str:
    low, high = wilson(count / total, total, 1.96)
    return f"{name:24} {count:4}/{total:<4} {count / total:.1%} [{low:.1%}, {high:.1%}]"


if __name__ == "__main__":
    main()
