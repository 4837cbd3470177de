"""Passages as rows of a table, and filters as its conditions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from metier.knowledge.index import Vectors
from metier.knowledge.naming import short_name
from metier.knowledge.passage import Filters, Passage
from metier.knowledge.ranking import standing
from metier.knowledge.terms import passage_terms

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ["text", "details"]  # what `passage_of` needs: reading two columns is much faster than reading fourteen

_DATES = ("effective", "until")


def rows(passages: Sequence[Passage], owner: str, vectors: Vectors | None, width: int | None) -> pa.Table:
    """Passages as a table. width: of the table's vectors, None where it has none."""
    import pyarrow as pa

    columns: dict[str, Any] = {
        name: [getattr(passage, name) for passage in passages]
        for name in ("id", "document", "article", "text", *_DATES)
    }
    columns["owner"] = [owner] * len(passages)
    columns["law"] = [short_name(passage.title) for passage in passages]
    columns["terms"] = [passage_terms(passage) for passage in passages]
    columns["details"] = [_details(passage) for passage in passages]
    of_document = Counter(passage.document for passage in passages)
    columns["standing"] = [
        standing(passage.kind, law, of_document[passage.document])
        for passage, law in zip(passages, columns["law"], strict=True)
    ]
    if width is not None:
        columns["vector"] = [None] * len(passages) if vectors is None else _vectors(vectors, width)
    return pa.table(columns, schema=_schema(width))


def passage_of(row: Mapping[str, Any]) -> Passage:
    """The passage of a row."""
    said = json.loads(row["details"])
    days = {name: date.fromisoformat(said[name]) if said[name] else None for name in _DATES}
    return Passage(**{**said, **days, "path": tuple(said["path"]), "text": row["text"]})


def vector_width(schema: pa.Schema) -> int | None:
    """The number of values of a table's vectors, or None where it has none."""
    return int(schema.field("vector").type.list_size) if "vector" in schema.names else None


def condition(filters: Filters) -> str:
    """What the filters allow. The owner is always part of it."""
    parts = [f"owner = {quoted(filters.owner)}"]
    if filters.documents:
        parts.append(f"document IN ({', '.join(map(quoted, filters.documents))})")
    if filters.titles:
        parts.append(f"law IN ({', '.join(quoted(short_name(title)) for title in filters.titles)})")
    if filters.article:
        parts.append(f"article = {quoted(filters.article)}")
    if filters.in_force_on:
        day = f"date '{filters.in_force_on.isoformat()}'"
        parts += [f"(effective IS NULL OR effective <= {day})", f"(until IS NULL OR until > {day})"]
    return " AND ".join(parts)


def quoted(value: str) -> str:
    """A text as a literal of a condition."""
    return "'" + value.replace("'", "''") + "'"


def _details(passage: Passage) -> str:
    """All of a passage but its text, as JSON."""
    said = {name: getattr(passage, name) for name in Passage.__slots__ if name != "text"}
    return json.dumps({**said, **{name: said[name] and said[name].isoformat() for name in _DATES}}, ensure_ascii=False)


def _vectors(vectors: Vectors, width: int) -> Any:
    import numpy as np
    import pyarrow as pa

    values = np.asarray(vectors, dtype=np.float32).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(values), width)


def _schema(width: int | None) -> pa.Schema:
    import pyarrow as pa

    kinds = {"effective": pa.date32(), "until": pa.date32(), "standing": pa.float32()}
    names = ("id", "document", "owner", "law", "article", *_DATES, "standing", "text", "details", "terms")
    fields = [pa.field(name, kinds.get(name, pa.string())) for name in names]
    if width is not None:
        fields.append(pa.field("vector", pa.list_(pa.float32(), width)))
    return pa.schema(fields)
