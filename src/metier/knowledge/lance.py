"""The index in LanceDB: passages, their terms and vectors in one table of an embedded, versioned store.

A table is one folder below the index's; `current.json` names the one that counts. All writes are versions of the
table, so a search on a pinned version never sees half of one. Forgetting writes what is left to a new table, switches
the name and removes the old folder: nothing has to be cleaned out of files that others may read.
"""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.core.errors import DataError
from metier.core.files import read_json, write_json
from metier.knowledge.fusion import reciprocal_ranks
from metier.knowledge.index import PassageIndex, SearchMode, Vectors
from metier.knowledge.lance_rows import COLUMNS, condition, passage_of, quoted, rows, vector_width
from metier.knowledge.passage import Filters, Hit, Passage
from metier.knowledge.terms import query_terms

if TYPE_CHECKING:
    from lancedb.table import Table

_POINTER = "current.json"
_CANDIDATES = 100  # looked at on each side before ranks are joined
_KEEP_VERSIONS = timedelta(minutes=10)  # longer than any search, so that none loses its files


class LanceIndex(PassageIndex):
    """An index in `folder`. owner: stamped on each row and part of each query."""

    def __init__(self, folder: Path, owner: str) -> None:
        self._folder = folder
        self._owner = owner
        self._lock = threading.Lock()
        self._name = ""
        self._live: Table | None = None
        self._pinned: tuple[str, int, Table] | None = None

    # Writing

    def replace_many(
        self, documents: Mapping[str, Sequence[Passage]], vectors: Mapping[str, Vectors] | None = None
    ) -> None:
        passages = [passage for of_one in documents.values() for passage in of_one]
        if any(passage.document != name for name, of_one in documents.items() for passage in of_one):
            raise ValueError("a passage belongs to another document")
        flat = None if vectors is None else [vector for name in documents for vector in vectors[name]]
        if flat is not None and len(flat) != len(passages):
            raise DataError("knowledge.vectors_count", passages=len(passages), vectors=len(flat))
        table = self._table()
        if table is None:
            if passages:
                self._create(rows(passages, self._owner, flat, None if flat is None else len(flat[0])))
            return
        width = vector_width(table.schema)
        if flat and width is None:
            table = self._widen(table, len(flat[0]))
            width = len(flat[0])
        if flat and any(len(vector) != width for vector in flat):
            raise DataError("knowledge.vectors_width", expected=width, found=len(flat[0]))
        new = rows(passages, self._owner, flat, width)
        here = f"document IN ({', '.join(quoted(name) for name in documents)})"
        if not table.count_rows(here):
            if passages:
                table.add(new)
        elif passages:
            merge = table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
            merge.when_not_matched_by_source_delete(here).execute(new)
        else:
            table.delete(here)

    def remove(self, document_ids: Sequence[str]) -> None:
        table = self._table()
        if table is not None and document_ids:
            table.delete(f"document IN ({', '.join(quoted(name) for name in document_ids)})")

    def tidy(self, *, forget: bool = False) -> None:
        table = self._table()
        if table is None:
            return
        if not forget:
            table.optimize(cleanup_older_than=_KEEP_VERSIONS)
            return
        current = self._create(table.to_arrow())
        for folder in self._folder.glob("*.lance"):
            if folder.name != f"{current}.lance":
                shutil.rmtree(folder)

    def _create(self, content: Any) -> str:
        """A new table with its index, which then becomes the current one. Returns its name."""
        name = f"passages-{uuid.uuid4().hex[:8]}"
        self._folder.mkdir(parents=True, exist_ok=True)
        table = self._connect().create_table(name, content)
        table.create_index("terms", config=_text_index())
        write_json(self._folder / _POINTER, {"table": name})
        return name

    def _widen(self, table: Table, width: int) -> Table:
        """Gives a table of passages without vectors a column for them."""
        import pyarrow as pa

        table.add_columns(pa.field("vector", pa.list_(pa.float32(), width)))
        return table

    # Reading

    def search(
        self,
        text: str,
        filters: Filters,
        *,
        limit: int = 10,
        vector: Sequence[float] | None = None,
        mode: SearchMode = "auto",
    ) -> list[Hit]:
        table = self._snapshot()
        if table is None:
            return []
        where = condition(filters)
        depth = max(limit, _CANDIDATES)
        by_text = [] if mode == "dense" else _search_text(table, text, where, depth)
        by_vector = [] if mode == "text" or vector is None else _search_vectors(table, vector, where, depth)
        reasons: dict[str, dict[str, float]] = {}
        found: dict[str, dict[str, Any]] = {}
        for name, ranked in (("text", by_text), ("dense", by_vector)):
            for rank, row in enumerate(ranked, 1):
                found.setdefault(row["id"], row)
                reasons.setdefault(row["id"], {}).update({f"{name}_rank": rank, f"{name}_score": row["_relevance"]})
        lists = [[row["id"] for row in ranked] for ranked in (by_text, by_vector) if ranked]
        scores = (
            reciprocal_ranks(*lists)
            if len(lists) > 1
            else {row["id"]: row["_relevance"] for row in by_text or by_vector}
        )
        return [Hit(passage_of(found[one]), score, reasons=reasons[one]) for one, score in list(scores.items())[:limit]]

    def passages(self, document_id: str) -> list[Passage]:
        found = self._rows(f"document = {quoted(document_id)}")
        return sorted(map(passage_of, found), key=lambda passage: (passage.start, passage.end))

    def passage(self, passage_id: str) -> Passage | None:
        found = self._rows(f"id = {quoted(passage_id)}")
        return passage_of(found[0]) if found else None

    def count(self) -> int:
        table = self._snapshot()
        return 0 if table is None else table.count_rows()

    def documents(self) -> dict[str, int]:
        table = self._snapshot()
        if table is None:
            return {}
        counted: dict[str, int] = {}
        for one in table.search().select(["document"]).to_arrow()["document"].to_pylist():
            counted[one] = counted.get(one, 0) + 1
        return counted

    def details(self) -> dict[str, Any]:
        table = self._snapshot()
        if table is None:
            return {"passages": 0, "documents": 0, "waiting": 0, "vectors": None, "bytes": 0}
        stats = table.index_stats("terms_idx")
        return {
            "passages": table.count_rows(),
            "documents": len(self.documents()),
            "waiting": stats.num_unindexed_rows if stats else 0,
            "vectors": vector_width(table.schema),
            "bytes": sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file()),
        }

    def _rows(self, where: str) -> list[dict[str, Any]]:
        table = self._snapshot()
        return [] if table is None else table.search().where(where).select(COLUMNS).to_list()

    # Tables

    def _connect(self) -> Any:
        import lancedb

        return lancedb.connect(self._folder, read_consistency_interval=timedelta(0))

    def _table(self) -> Table | None:
        """The current table, always at its newest version; None before the first passage."""
        pointer = self._folder / _POINTER
        if not pointer.exists():
            return None
        name = str(read_json(pointer)["table"])
        with self._lock:
            if self._live is None or name != self._name:
                self._live, self._name = self._connect().open_table(name), name
            return self._live

    def _snapshot(self) -> Table | None:
        """The current table pinned to its newest version, so that all parts of a search see the same passages."""
        table = self._table()
        if table is None:
            return None
        version = table.version
        with self._lock:
            if self._pinned is None or self._pinned[:2] != (self._name, version):
                pinned = self._connect().open_table(self._name)
                pinned.checkout(version)
                self._pinned = (self._name, version, pinned)
            return self._pinned[2]


def _text_index() -> Any:
    """BM25 over terms that are split already."""
    from lancedb.index import FTS

    return FTS(base_tokenizer="whitespace", stem=False, remove_stop_words=False, ascii_folding=False, lower_case=False)


def _search_text(table: Table, text: str, where: str, limit: int) -> list[dict[str, Any]]:
    from lancedb.query import MatchQuery

    asked = query_terms(text)
    if not asked:
        return []
    query = table.search(MatchQuery(" ".join(asked), "terms"), query_type="fts").where(where, prefilter=True)
    found = query.select([*COLUMNS, "_score"]).limit(limit).to_list()
    return [{**row, "_relevance": row["_score"]} for row in found]


def _search_vectors(table: Table, vector: Sequence[float], where: str, limit: int) -> list[dict[str, Any]]:
    if vector_width(table.schema) is None:
        return []
    query = table.search(list(vector), vector_column_name="vector").distance_type("cosine").where(where, prefilter=True)
    found = query.select([*COLUMNS, "_distance"]).limit(limit).to_list()
    return [{**row, "_relevance": 1.0 - row["_distance"]} for row in found if row["_distance"] is not None]
