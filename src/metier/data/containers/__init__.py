"""Files of records: JSON, JSON lines, CSV, Excel, Parquet and plain text, each read strictly and with row numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from metier.core.errors import DataError
from metier.core.registry import Registry
from metier.data.rows import Source

CONTAINERS: Registry[Callable[[Path], Source]] = Registry(
    "file type",
    {
        ".json": "metier.data.containers.jsonfile:open_json",
        ".jsonl": "metier.data.containers.jsonfile:open_json",
        ".csv": "metier.data.containers.csvfile:open_csv",
        ".tsv": "metier.data.containers.csvfile:open_csv",
        ".xlsx": "metier.data.containers.xlsxfile:open_xlsx",
        ".parquet": "metier.data.containers.parquetfile:open_parquet",
        ".txt": "metier.data.containers.plaintext:open_plain_text",
        ".md": "metier.data.containers.plaintext:open_plain_text",
    },
)
PLAIN_TEXT_SUFFIXES = (".txt", ".md")


def file_type(path: Path) -> str:
    """The suffix that decides how `path` is read, without `.gz`."""
    return Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


def open_records(path: Path) -> Source:
    """Opens a file of records by its suffix. Raises DataError if it is absent, a folder, or of an unknown type."""
    if path.is_dir():
        raise DataError("data.is_folder", file=path)
    if not path.exists():
        raise DataError("data.file_missing", file=path)
    suffix = file_type(path)
    if suffix not in CONTAINERS:
        raise DataError("data.unknown_file_type", file=path, known=" ".join(CONTAINERS))
    return CONTAINERS.get(suffix)(path)
