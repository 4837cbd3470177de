"""Passages as rows of a table, and filters as its conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from metier.knowledge.index import Vectors
from metier.knowledge.kinds.statute import short_name
from metier.knowledge.passage import Filters, Passage
from metier.knowledge.terms import passage_terms

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = [
    "id", "document", "file", "title", "kind", "text", "start", "end", "page", "last_page", "article", "path",
    "effective", "until",
]  # fmt: skip


def rows(passages: Sequence[Passage], owner: str, vectors: Vectors | None, width: int | None) -> pa.Table:
    """Passages as a table. width: of the table's vectors, None where it has none."""
    import pyarrow as pa

    columns: dict[str, Any] = {name: [getattr(passage, name) for passage in passages] for name in COLUMNS}
    columns["path"] = [list(path) for path in columns["path"]]
    columns["owner"] = [owner] * len(passages)
    columns["law"] = [short_name(passage.title) for passage in passages]
    columns["terms"] = [passage_terms(passage) for passage in passages]
    if width is not None:
        columns["vector"] = [None] * len(passages) if vectors is None else _vectors(vectors, width)
    return pa.table(columns, schema=_schema(width))


def vector_width(schema: pa.Schema) -> int | None:
    """The number of values of a table's vectors, or None where it has none."""
    return int(schema.field("vector").type.list_size) if "vector" in schema.names else None


def passage_of(row: Mapping[str, Any]) -> Passage:
    """The passage of a row."""
    return Passage(**{**{name: row[name] for name in COLUMNS}, "path": tuple(row["path"] or ())})


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


def _vectors(vectors: Vectors, width: int) -> Any:
    import numpy as np
    import pyarrow as pa

    values = np.asarray(vectors, dtype=np.float32).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(values), width)


def _schema(width: int | None) -> pa.Schema:
    import pyarrow as pa

    text, number, day = pa.string(), pa.int64(), pa.date32()
    kinds = {"start": number, "end": number, "page": number, "last_page": number, "effective": day, "until": day}
    kinds["path"] = pa.list_(text)
    fields = [pa.field(name, kinds.get(name, text)) for name in (*COLUMNS, "owner", "law", "terms")]
    if width is not None:
        fields.append(pa.field("vector", pa.list_(pa.float32(), width)))
    return pa.schema(fields)
