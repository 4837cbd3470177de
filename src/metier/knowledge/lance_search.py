"""Searching one version of a table: by words with a second look, by vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metier.knowledge.lance_rows import COLUMNS, vector_width
from metier.knowledge.terms import query_terms

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import Table

    from metier.knowledge.ranking import Candidates

CANDIDATES = 300  # passages that the text index names for the second look


@dataclass(frozen=True, slots=True)
class Found:
    """A row, its score on this side, and why."""

    row: dict[str, Any]
    score: float
    reasons: dict[str, float]


def search_text(table: Table, text: str, where: str, limit: int) -> list[Found]:
    """The best passages by words: the index's candidates, ranked anew (see `metier.knowledge.ranking`)."""
    import numpy as np
    from lancedb.query import MatchQuery

    from metier.knowledge.ranking import rank

    asked = query_terms(text)
    if not asked:
        return []
    query = table.search(MatchQuery(" ".join(asked), "terms"), query_type="fts").where(where, prefilter=True)
    found = query.select(["id", "law", "standing", *COLUMNS, "_score"]).limit(max(CANDIDATES, limit)).to_arrow()
    ranking = rank(text, _candidates(found))
    best = np.argsort(-ranking.scores_n, kind="stable")[:limit]
    return [
        Found(
            row,
            float(ranking.scores_n[place]),
            {
                "text_rank": number,
                "text_score": float(ranking.scores_n[place]),
                "words_rank": int(place) + 1,
                "words_score": row["_score"],
                "standing_bonus": float(ranking.standing_n[place]),
                "law_bonus": float(ranking.law_n[place]),
            },
        )
        for number, (place, row) in enumerate(zip(best, found.take(best).to_pylist(), strict=True), 1)
    ]


def search_vectors(table: Table, vector: Sequence[float], where: str, limit: int) -> list[Found]:
    """The nearest passages by cosine; nothing in a table without vectors."""
    if vector_width(table.schema) is None:
        return []
    query = table.search(list(vector), vector_column_name="vector").distance_type("cosine").where(where, prefilter=True)
    found = query.select(["id", *COLUMNS, "_distance"]).limit(limit).to_list()
    near = [(row, 1.0 - row["_distance"]) for row in found if row["_distance"] is not None]
    return [
        Found(row, score, {"dense_rank": number, "dense_score": score}) for number, (row, score) in enumerate(near, 1)
    ]


def _candidates(found: pa.Table) -> Candidates:
    """The columns of the candidates as arrays. A passage's law belongs to its text."""
    import numpy as np
    import pyarrow.compute as pc

    from metier.knowledge.ranking import Candidates

    texts = pc.binary_join_element_wise(found["law"], found["text"], " ")
    return Candidates(
        text="".join(texts.to_pylist()),
        lengths_n=pc.utf8_length(texts).to_numpy().astype(np.int64),
        scores_n=found["_score"].to_numpy().astype(np.float32),
        laws_n=found["law"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64),
        standing_n=found["standing"].to_numpy().astype(np.float32),
    )
