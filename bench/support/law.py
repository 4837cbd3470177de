"""The public legal data beside the project, as benchmarks use it: articles, questions, an index over the articles."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from metier.evaluate.bootstrap import wilson
from metier.knowledge.index import PassageIndex
from metier.knowledge.passage import Filters, Hit, Passage, passage_id

LAW = Path(__file__).resolve().parents[3] / "shared" / "data" / "law"
SEED = 5


@dataclass
class IndexBase:
    """A knowledge base over an index, without files."""

    index: PassageIndex

    def search(self, text: str, *, limit: int = 6, **filters: Any) -> list[Hit]:
        return self.index.search(text, Filters(owner="local", **filters), limit=limit)


def law_articles() -> list[dict[str, Any]]:
    """All articles; an article's id is its place in the list."""
    with gzip.open(LAW / "articles.jsonl.gz", "rt", encoding="utf-8") as source:
        return [json.loads(line) for line in source]


def law_questions() -> list[dict[str, Any]]:
    """The real questions in a seeded order, so that every second one is a half."""
    rows = [json.loads(line) for line in (LAW / "questions_dev.jsonl").read_text(encoding="utf-8").splitlines()]
    random.Random(SEED).shuffle(rows)
    return rows


def law_passages(articles: list[dict[str, Any]]) -> dict[str, list[Passage]]:
    """The passages of each law; a passage starts at its article's id."""
    documents: dict[str, list[Passage]] = {}
    for one in articles:
        law, place = one["law"], one["id"]
        documents.setdefault(law, []).append(
            Passage(
                id=passage_id(law, place, place + 1),
                document=law,
                file=f"{law}.txt",
                title=law,
                kind="statute",
                text=one["text"],
                start=place,
                end=place + 1,
                page=1,
                last_page=1,
                article=one["article"],
                effective=date.fromisoformat(one["effective"]) if one["effective"] else None,
            )
        )
    return documents


def law_base(folder: Path, articles: list[dict[str, Any]]) -> IndexBase:
    """An index over articles."""
    index = PassageIndex.open(folder, owner="local")
    index.replace_many(law_passages(articles))
    index.tidy()
    return IndexBase(index)


def row(name: str, count: int, rows: int) -> None:
    """A share with its 95 % Wilson interval, on one line."""
    low, high = wilson(count / rows, rows, 1.959964)
    print(f"  {name:<38} {count:>5} of {rows:<5} {count / rows:.3f}  [{low:.3f}, {high:.3f}]", flush=True)
