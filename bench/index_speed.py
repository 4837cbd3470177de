"""How fast the index is over 60,390 articles: import, search, and what changes cost when it is full.

Figures depend on what else the machine does: its load is printed. Processor seconds are of all threads.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.support.law import LAW, law_articles, law_passages, law_questions

from metier.knowledge.index import PassageIndex
from metier.knowledge.passage import Filters

MINE = Filters("local")
ROUNDS = 3


def main() -> int:
    if not LAW.is_dir():
        print("the public data beside the project (shared/data) is absent")
        return 0
    documents = law_passages(law_articles())
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    rates = [_imported(documents) for _ in range(ROUNDS)]
    print(f"import, folded in: {max(rates):,.0f} passages/s (of {ROUNDS}: {', '.join(f'{one:,.0f}' for one in rates)})")
    with tempfile.TemporaryDirectory() as folder:
        index = PassageIndex.open(Path(folder))
        index.replace_many(documents)
        index.tidy()
        questions = [one["question"] for one in law_questions()]
        _latency("search, 10 passages", index, questions, MINE)
        _latency("… in force on a day", index, questions[:300], Filters("local", in_force_on=date(2020, 1, 1)))
        new = {"新法": [replace(one, id=f"{one.id}n", document="新法") for one in documents["劳动合同法"]]}
        _timed(f"adding {len(new['新法'])} passages", lambda: index.replace_many(new))
        _latency("search with them not folded in", index, questions[:300], MINE)
        changed = [replace(one, text=one.text + "。") for one in new["新法"]]
        _timed("replacing them", lambda: index.replace("新法", changed))
        _timed("removing them", lambda: index.remove(["新法"]))
        _timed("folding in", index.tidy)
        _timed("forgetting: what is left written anew", lambda: index.tidy(forget=True))
    return 0


def _imported(documents: dict[str, list]) -> float:  # type: ignore[type-arg]
    with tempfile.TemporaryDirectory() as folder:
        index = PassageIndex.open(Path(folder))
        began = time.perf_counter()
        index.replace_many(documents)
        index.tidy()
        return index.count() / (time.perf_counter() - began)


def _latency(name: str, index: PassageIndex, questions: list[str], filters: Filters) -> None:
    for one in questions[:20]:
        index.search(one, filters)
    seconds = []
    worked = time.process_time()
    for one in questions:
        began = time.perf_counter()
        index.search(one, filters)
        seconds.append(time.perf_counter() - began)
    worked = (time.process_time() - worked) / len(questions)
    seconds.sort()
    half, most = seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.99)]
    print(f"{name}: p50 {1000 * half:.1f} ms, p99 {1000 * most:.1f} ms, processor {1000 * worked:.1f} ms", flush=True)


def _timed(name: str, work: Callable[[], None]) -> None:
    began = time.perf_counter()
    work()
    print(f"{name}: {1000 * (time.perf_counter() - began):,.0f} ms", flush=True)


if __name__ == "__main__":
    sys.exit(main())
