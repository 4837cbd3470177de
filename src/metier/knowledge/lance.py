"""The index in LanceDB: passages, their terms and vectors in one table of an embedded, versioned store.

A table is one folder below the index's; `current.json` names the one that counts. All writes are versions of the
table, so a search on a pinned version never sees half of one. Forgetting writes what is left to a new table, switches
the name and removes the old folder: nothing has to be cleaned out of files that others may read.
"""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from metier.core.errors import DataError
from metier.core.files import fsync_folder, read_json, write_json
from metier.knowledge.fusion import reciprocal_ranks
from metier.knowledge.index import PassageIndex, SearchMode, Vectors
from metier.knowledge.lance_rows import COLUMNS, condition, passage_of, quoted, rows, vector_width
from metier.knowledge.lance_search import Found, search_text, search_vectors
from metier.knowledge.passage import Filters, Hit, Passage

if TYPE_CHECKING:
    from lancedb.table import Table

T = TypeVar("T")

_POINTER = "current.json"
_RENEWED = "renewed.json"  # names the table that is being filled to take the other's place
FORMAT = 1  # of the table's columns and terms; another one's index is made anew (`metier.knowledge.renewing`)
_DEPTH = 100  # passages of each side whose ranks are joined
_KEEP_VERSIONS = timedelta(minutes=10)  # longer than any search, so that none loses its files
_TRIES = 5  # of a read while writers switch tables below it


class LanceIndex(PassageIndex):
    """An index in `folder`. owner: stamped on each row; whose rows a query sees is said by its filters; pointer: the
    file that names the table which counts."""

    def __init__(self, folder: Path, owner: str, pointer: str = _POINTER) -> None:
        self._folder = folder
        self._pointer = folder / pointer
        self._owner = owner
        self._lock = threading.Lock()
        self._live: tuple[str, Table] | None = None
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
        table = self._newest()
        if table is None:
            if passages:
                self._create(rows(passages, self._owner, flat, len(flat[0]) if flat else None))
            return
        width = self._width(table, flat)
        here = f"document IN ({', '.join(map(quoted, documents))})"
        if not passages:
            table.delete(here)
        elif not table.count_rows(here):
            table.add(rows(passages, self._owner, flat, width))
        else:
            merge = table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
            merge.when_not_matched_by_source_delete(here).execute(rows(passages, self._owner, flat, width))

    def remove(self, document_ids: Sequence[str]) -> None:
        table = self._newest()
        if table is not None and document_ids:
            table.delete(f"document IN ({', '.join(map(quoted, document_ids))})")

    def is_of_other_format(self) -> bool:
        return self._pointer.exists() and read_json(self._pointer).get("format") != FORMAT

    @contextmanager
    def renewed(self) -> Iterator[PassageIndex]:
        anew = self._folder / _RENEWED
        anew.unlink(missing_ok=True)
        filled = LanceIndex(self._folder, self._owner, _RENEWED)
        yield filled
        if anew.exists():
            anew.replace(self._pointer)
        else:
            self._pointer.unlink(missing_ok=True)
        fsync_folder(self._folder)
        self._remove_others(str(read_json(self._pointer)["table"]) if self._pointer.exists() else "")

    def tidy(self, *, forget: bool = False) -> None:
        table = self._newest()
        if table is None:
            return
        if not forget:
            table.optimize(cleanup_older_than=_KEEP_VERSIONS)
            return
        self._remove_others(self._create(table.to_arrow()))

    def _remove_others(self, current: str) -> None:
        for folder in self._folder.glob("*.lance"):
            if folder.name != f"{current}.lance":
                shutil.rmtree(folder)

    def _create(self, content: Any) -> str:
        """A new table with its indices, which then becomes the current one. Returns its name."""
        from lancedb.index import FTS, Bitmap

        name = f"passages-{uuid.uuid4().hex[:8]}"
        table = self._connection.create_table(name, content)
        table.create_index("terms", config=FTS(base_tokenizer="whitespace", **_AS_THEY_ARE))
        table.create_index("owner", config=Bitmap())
        write_json(self._pointer, {"table": name, "format": FORMAT})
        return name

    def _width(self, table: Table, vectors: Sequence[Sequence[float]] | None) -> int | None:
        """The width of the table's vectors, which it gets with the first ones. Raises DataError where these differ."""
        import pyarrow as pa

        width = vector_width(table.schema)
        if vectors and width is None:
            width = len(vectors[0])
            table.add_columns(pa.field("vector", pa.list_(pa.float32(), width)))
        wrong = next((len(vector) for vector in vectors or () if len(vector) != width), None)
        if wrong is not None:
            raise DataError("knowledge.vectors_width", expected=width, found=wrong)
        return width

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
        where = condition(filters)
        nothing: list[list[Found]] = []
        depth = max(limit, _DEPTH if vector is not None and mode == "auto" else limit)

        def look(table: Table) -> list[list[Found]]:
            by_text = [] if mode == "dense" else search_text(table, text, where, depth)
            by_vector = [] if mode == "text" or vector is None else search_vectors(table, vector, where, depth)
            return [found for found in (by_text, by_vector) if found]

        return _joined(self._read(look, nothing))[:limit]

    def passages(self, document_id: str) -> list[Passage]:
        found = self._rows(f"document = {quoted(document_id)}")
        return sorted(map(passage_of, found), key=lambda passage: (passage.start, passage.end))

    def passage(self, passage_id: str) -> Passage | None:
        found = self._rows(f"id = {quoted(passage_id)}")
        return passage_of(found[0]) if found else None

    def count(self) -> int:
        return self._read(lambda table: int(table.count_rows()), 0)

    def documents(self) -> dict[str, int]:
        import pyarrow.compute as pc

        def counted(table: Table) -> dict[str, int]:
            found = pc.value_counts(table.search().select(["document"]).to_arrow()["document"])
            return {one["values"]: one["counts"] for one in found.to_pylist()}

        return self._read(counted, {})

    def details(self) -> dict[str, Any]:
        def said(table: Table) -> dict[str, Any]:
            stats = table.index_stats("terms_idx")
            return {
                "passages": table.count_rows(),
                "waiting": stats.num_unindexed_rows if stats else 0,
                "vectors": vector_width(table.schema),
            }

        known = self._read(said, {"passages": 0, "waiting": 0, "vectors": None})
        size = sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file())
        return {**known, "documents": len(self.documents()), "bytes": size}

    def _rows(self, where: str) -> list[dict[str, Any]]:
        return self._read(lambda table: table.search().where(where).select(COLUMNS).to_list(), [])

    def _read(self, work: Callable[[Table], T], nothing: T) -> T:
        """Does `work` on one version of the table, and anew where a writer switched tables meanwhile."""
        for attempt in range(_TRIES):
            try:
                table = self._snapshot()
                return nothing if table is None else work(table)
            except (RuntimeError, ValueError, OSError):
                if attempt == _TRIES - 1:
                    raise
                with self._lock:
                    self._live = self._pinned = None
        return nothing

    # Tables

    @cached_property
    def _connection(self) -> Any:
        import lancedb

        self._folder.mkdir(parents=True, exist_ok=True)
        return lancedb.connect(self._folder, read_consistency_interval=timedelta(0))

    def _newest(self) -> Table | None:
        """The current table, always at its newest version; None before the first passage."""
        if not self._pointer.exists():
            return None
        said = read_json(self._pointer)
        if said.get("format") != FORMAT:
            raise DataError("knowledge.index_format")
        name = str(said["table"])
        with self._lock:
            if self._live is None or self._live[0] != name:
                self._live = (name, self._connection.open_table(name))
            return self._live[1]

    def _snapshot(self) -> Table | None:
        """The current table pinned to its newest version, so that all parts of a search see the same passages."""
        table = self._newest()
        if table is None:
            return None
        version = table.version
        with self._lock:
            if self._pinned is None or self._pinned[:2] != (table.name, version):
                pinned = self._connection.open_table(table.name)
                pinned.checkout(version)
                self._pinned = (table.name, version, pinned)
            return self._pinned[2]


def _joined(sides: list[list[Found]]) -> list[Hit]:
    """The found of words and of vectors as hits: by their ranks where there are both, else by their scores."""
    reasons: dict[str, dict[str, float]] = {}
    row_of = {found.row["id"]: found.row for side in sides for found in side}
    for side in sides:
        for found in side:
            reasons.setdefault(found.row["id"], {}).update(found.reasons)
    if len(sides) > 1:
        scores = reciprocal_ranks(*([found.row["id"] for found in side] for side in sides))
    else:
        scores = {found.row["id"]: found.score for side in sides for found in side}
    return [Hit(passage_of(row_of[one]), score, reasons=reasons[one]) for one, score in scores.items()]


_AS_THEY_ARE = {"stem": False, "remove_stop_words": False, "ascii_folding": False, "lower_case": False}
