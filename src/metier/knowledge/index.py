"""The seam to what finds passages. One index is one knowledge base of one owner."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

from metier.knowledge.passage import Filters, Hit, Passage

SearchMode = Literal["auto", "text", "dense"]
Vectors = Sequence[Sequence[float]]  # one a passage; numpy arrays too


class PassageIndex(ABC):
    """Passages that are searched by words, by vectors where they have some, or by both.

    Many threads and processes may search; one at a time may write (whoever owns the folder holds a lock).
    """

    @staticmethod
    def open(folder: Path, *, owner: str = "local") -> PassageIndex:
        """Opens the index in a folder, which may not exist yet. owner: whose the passages are."""
        from metier.knowledge.lance import LanceIndex

        return LanceIndex(folder, owner)

    def replace(self, document_id: str, passages: Sequence[Passage], vectors: Vectors | None = None) -> None:
        """Puts a document's passages in the place of those it had. A search sees the old or the new ones, never both
        and never neither; the same holds for the first time."""
        self.replace_many({document_id: passages}, None if vectors is None else {document_id: vectors})

    @abstractmethod
    def replace_many(
        self, documents: Mapping[str, Sequence[Passage]], vectors: Mapping[str, Vectors] | None = None
    ) -> None:
        """`replace` for several documents in one version of the index: much faster for many small ones.

        vectors: of all documents or of none. Raises DataError where their number or width is wrong, ValueError where a
        passage is of another document."""

    @abstractmethod
    def remove(self, document_ids: Sequence[str]) -> None:
        """Takes documents out: no later search finds them. Their bytes go with `tidy(forget=True)`."""

    @abstractmethod
    def search(
        self,
        text: str,
        filters: Filters,
        *,
        limit: int = 10,
        vector: Sequence[float] | None = None,
        mode: SearchMode = "auto",
    ) -> list[Hit]:
        """The best passages, best first. vector: the question's; mode: `auto` joins words and vectors by their ranks
        where there is a vector. Only what the filters allow is looked at."""

    @abstractmethod
    def passages(self, document_id: str) -> list[Passage]:
        """A document's passages in the order of its text; empty where it is unknown."""

    @abstractmethod
    def passage(self, passage_id: str) -> Passage | None:
        """One passage, or None."""

    @abstractmethod
    def count(self) -> int:
        """How many passages there are."""

    @abstractmethod
    def documents(self) -> dict[str, int]:
        """The documents' ids, and how many passages each has."""

    @abstractmethod
    def tidy(self, *, forget: bool = False) -> None:
        """Folds what was added since into the index, after an import. forget: also makes sure that no byte of removed
        passages stays on the disk: what is left is written anew beside the old, which then goes."""

    @abstractmethod
    def is_of_other_format(self) -> bool:
        """Whether another version of the product wrote it: then it can only be made anew. Quick to tell."""

    @abstractmethod
    def renewed(self) -> AbstractContextManager[PassageIndex]:
        """An empty index to fill, which takes this one's place at the end of the block, in one step. Whatever breaks
        the block off leaves this one as it was."""

    @abstractmethod
    def details(self) -> dict[str, Any]:
        """What there is, for pages and checks: `passages`, `documents`, `waiting` (not folded in yet), `vectors` (their
        width or None), `bytes`."""
