"""What tables share: a header whose names are there and differ, and a library's complaint in one line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from metier.core.errors import DataError


def check_header(path: Path, names: Sequence[str]) -> list[str]:
    """The header's names. Raises DataError for an empty or a repeated one."""
    for position, name in enumerate(names, 1):
        if not name.strip():
            raise DataError("data.unnamed_column", file=path, position=position)
        if names.index(name) != position - 1:
            raise DataError("data.repeated_column", file=path, field=name)
    return list(names)


def first_line(error: Exception) -> str:
    """The first line of another library's message, or the error's name if it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
