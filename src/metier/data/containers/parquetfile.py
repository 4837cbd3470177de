"""Parquet: typed columns; pictures come as bytes or as the `{bytes, path}` records that the datasets library writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from metier.core.errors import DataError
from metier.data.containers.table import first_line
from metier.data.rows import RawRow, Source, row_error
from metier.data.strictjson import JsonError, check_characters

_BATCH_ROWS = 256


def open_parquet(path: Path) -> Source:
    """A `.parquet` file. Raises DataError if it is damaged."""
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DataError("data.bad_archive", file=path, problem=first_line(error)) from error
    return Source(path, _rows(path, table), None)


def _rows(path: Path, table: Any) -> Iterator[RawRow]:
    import pyarrow

    row = 0
    batches = table.iter_batches(batch_size=_BATCH_ROWS)
    while True:
        try:
            batch = next(batches, None)
            records = batch.to_pylist() if batch is not None else []
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
            raise row_error(path, row + 1, None, "bad_batch", problem=first_line(error)) from error
        if batch is None:
            return
        for values in records:
            row += 1
            try:
                check_characters(values)
            except JsonError as problem:
                yield RawRow(path, row, {}, None, row_error(path, row, None, problem.name, **problem.fields))
                continue
            yield RawRow(path, row, values)
