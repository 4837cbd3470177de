"""How well numbers are read: right answers and reasonings of 520 real chart questions (../shared/data/finance/charts).

1. Right answers: how many are numbers; each against itself must be right; with one digit changed it must be wrong
   (within 5 %, where the first digit is changed).
2. Reasonings, free text that ends in no marked answer: from how many a number is read, and how often it is the right
   one. Some reasonings only estimate, so this is no accuracy of the reader alone.
3. Speed of both metrics together.
"""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal
from pathlib import Path

from metier.evaluate.metrics import METRICS, Pair
from metier.evaluate.numeric import agrees, read_number, wanted_quantity, within, within_share

CHARTS = Path(__file__).resolve().parents[2] / "shared" / "data" / "finance" / "charts"
_EXACT, _NEAR = within(Decimal(0)), within_share(Decimal("0.05"))


def main() -> None:
    """Prints the figures; ends with 1 where a bar is missed."""
    rows = [json.loads(line) for split in ("train", "val") for line in (CHARTS / f"{split}.jsonl").open("rb")]
    numeric, relaxed = METRICS.get("numeric_accuracy"), METRICS.get("relaxed_accuracy")
    golds = [row for row in rows if wanted_quantity(row["answer"]) is not None]
    began = time.perf_counter()
    itself = sum(
        relaxed.measure(Pair(row["answer"], row["answer"], "number" if row in golds else "exact", row["answer"])).value
        or 0.0
        for row in rows
    )
    changed = [(row["answer"], other) for row in golds for other in _changed(row["answer"])]
    caught = sum(numeric.measure(Pair(other, gold, "number", gold)).value == 0.0 for gold, other in changed)
    first = [(gold, other) for gold, other in changed if _first(gold) != _first(other)]
    caught_first = sum(relaxed.measure(Pair(other, gold, "number", gold)).value == 0.0 for gold, other in first)
    seconds = time.perf_counter() - began
    measured = len(rows) + len(changed) + len(first)
    _say(f"right answers that are numbers: {len(golds)} of {len(rows)} ({len(golds) / len(rows):.1%})")
    _say(f"right against themselves: {int(itself)} of {len(rows)}")
    _say(f"one digit changed, wrong to the last digit: {caught} of {len(changed)}")
    _say(f"first digit changed, wrong within 5 %: {caught_first} of {len(first)}")
    read = [(row, read_number(row["reasoning"], year=wanted_quantity(row["answer"]).year)) for row in golds]
    found = [(wanted_quantity(row["answer"]), one) for row, one in read if one is not None]
    exact, near = (sum(agrees(one, wanted, close) for wanted, one in found) for close in (_EXACT, _NEAR))
    _say(f"reasonings a number is read from: {len(found)} of {len(golds)}; the right one {exact}, within 5 % {near}")
    _say(f"speed: {measured / seconds:,.0f} rows/s")
    sys.exit(0 if itself == len(rows) and caught == len(changed) and caught_first == len(first) else 1)


def _changed(gold: str) -> list[str]:
    """The answer with each digit in turn replaced by each other one."""
    return [
        gold[:place] + digit + gold[place + 1 :]
        for place, char in enumerate(gold)
        if char.isdigit()
        for digit in "123456789"
        if digit != char
    ]


def _first(text: str) -> str:
    return next(char for char in text if char.isdigit())


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
