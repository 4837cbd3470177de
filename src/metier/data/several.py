"""Several sets as one: `a,b` is all of `a` and then all of `b`, with rows numbered on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from metier.core.files import fingerprint
from metier.data.entries import all_entries
from metier.data.rows import Note

if TYPE_CHECKING:
    from metier.data.dataset import Dataset


def names_in(reference: str, dataset_dir: Path | None = None) -> list[str]:
    """The sets that `reference` names. A registered name, or a file's, may have a comma of its own."""
    if "," not in reference or reference in all_entries(dataset_dir) or Path(reference).expanduser().exists():
        return [reference]
    return list(dict.fromkeys(name.strip() for name in reference.split(",") if name.strip()))


def join(parts: Sequence[Dataset], reference: str) -> Dataset:
    """One set of all rows. Row numbers go on from part to part, and a note says where each begins.

    What was skipped keeps the row numbers of its own file, which its message names.
    """
    rows, places, offset = [], [], 0
    for part in parts:
        last = max(
            *(row.row for row in part.conversations), *(int(one.fields.get("row", 0)) for one in part.skipped), 1
        )
        rows += [dataclasses.replace(row, row=offset + row.row) for row in part.conversations]
        places.append(f"{part.name} {offset + 1}–{offset + last}")
        offset += last
    where = Note("data.note_joined", {"places": ", ".join(places)})
    return dataclasses.replace(
        parts[0],
        name=reference,
        sha256=fingerprint([part.sha256 for part in parts]),
        format=", ".join(dict.fromkeys(part.format for part in parts)),
        conversations=rows,
        kind="text" if any(part.kind == "text" for part in parts) else "chat",
        notes=(where, *(note for part in parts for note in part.notes)),
        skipped=tuple(problem for part in parts for problem in part.skipped),
    )
