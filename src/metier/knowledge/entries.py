"""What a knowledge base says of its documents: the entry of each, and what became of each file that was brought."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from metier.core.errors import MetierError
from metier.core.i18n import translate
from metier.knowledge.document import Document, Notice

Source = Path | tuple[str, bytes] | tuple[str, Path]  # a file, or a name with bytes or with a file
State = Literal["added", "same", "replaced", "failed"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of a knowledge base. Written last, when the index has its passages: what has no entry is no document.

    id: of the base, the name and the bytes, so new bytes are a new document; name: as shown, never a path; suffix: of
    the stored original; pages: in all; origins: how many pages came from text, OCR, were empty or failed; characters:
    of its text; passages: in the index; added: ISO time, UTC.
    """

    id: str
    name: str
    sha256: str
    size: int
    suffix: str
    kind: str
    title: str
    encoding: str
    pages: int
    origins: dict[str, int]
    characters: int
    passages: int
    notices: tuple[Notice, ...]
    added: str

    @property
    def unread(self) -> int:
        """Pages that gave nothing."""
        return self.origins.get("failed", 0) + self.origins.get("empty", 0)

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON-able values."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Entry:
        """An entry as `to_json` gave it."""
        return cls(**{**said, "notices": tuple(Notice(**one) for one in said["notices"])})


def entry_of(
    document: Document, document_id: str, *, size: int, suffix: str, passages: int, title: str, added: str
) -> Entry:
    """The entry of a document that was read. title: as its passages name it."""
    return Entry(
        id=document_id,
        name=document.name,
        sha256=document.sha256,
        size=size,
        suffix=suffix,
        kind=document.kind,
        title=title or document.title,
        encoding=document.encoding,
        pages=len(document.pages),
        origins=dict(Counter(page.origin for page in document.pages)),
        characters=len(document.text),
        passages=passages,
        notices=document.notices,
        added=added,
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file that was brought.

    state: `added`, `same` (these bytes are there already), `replaced` (new bytes under a known name), or `failed`;
    entry: the document, None where it failed; key, fields: why it failed, as a message of the catalogue.
    """

    name: str
    state: State
    entry: Entry | None = None
    key: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def reason(self) -> str:
        """Why it failed, in the current language."""
        return translate(self.key, **self.fields) if self.key else ""

    def to_json(self) -> dict[str, Any]:
        """For scripts and pages; reason and notices in the current language."""
        told: dict[str, Any] = {"name": self.name, "state": self.state, "seconds": round(self.seconds, 3)}
        if self.key:
            told |= {"reason": self.reason, "key": self.key, "fields": self.fields}
        if self.entry is not None:
            told["document"] = {**self.entry.to_json(), "notices": [notice.text() for notice in self.entry.notices]}
        return told


def failed(name: str, error: MetierError, seconds: float = 0.0) -> Outcome:
    """The outcome of a file that could not be taken."""
    plain = {key: value if isinstance(value, int | float) else str(value) for key, value in error.fields.items()}
    return Outcome(name, "failed", key=error.key, fields=plain, seconds=seconds)
