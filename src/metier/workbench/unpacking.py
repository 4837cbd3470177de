"""What the child does with a zip: its table and pictures take its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metier.data.bundles import unpack


def unpack_here(archive: str, shown_as: str, most: int) -> dict[str, Any]:
    """Unpacks `archive` into its own folder and removes it. Returns the bytes that came out, and the pictures."""
    path = Path(archive)
    bundle = unpack(path, path.parent / "unpacked", most=most, shown_as=shown_as)
    for one in bundle.table.parent.iterdir():
        one.rename(path.parent / one.name)
    bundle.table.parent.rmdir()
    path.unlink()
    return {"size": bundle.size, "pictures": bundle.pictures}
