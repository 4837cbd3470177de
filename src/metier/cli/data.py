"""`metier data`: datasets, and what the model will see of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from metier.cli.app import write_json, write_line
from metier.cli.progress import Display
from metier.core.errors import DataError
from metier.core.events import EventLog
from metier.core.i18n import current_language, translate
from metier.data import (
    list_datasets,
    load_dataset,
    parse_columns,
    register_dataset,
    remove_dataset,
    write_dataset,
)

Flag = Annotated[bool, Parameter(negative=())]


def list_(*, dataset_dir: Path | None = None, json: Flag = False) -> None:
    """Lists datasets: the product's, yours, and those of a folder's dataset_info.json."""
    language = current_language()
    infos = list_datasets(dataset_dir)
    if json:
        write_json(
            [
                {"name": i.name, "origin": i.origin, "status": i.status, "path": i.path, "detail": i.detail(language)}
                for i in infos
            ]
        )
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for key in ("name", "status", "notes"):
        table.add_column(translate(f"cli.column_{key}"))
    for info in infos:
        table.add_row(info.name, info.status_text(language), info.detail(language))
    Console(highlight=False).print(table)


def add_(
    name: str,
    file: Path,
    /,
    *,
    columns: str | None = None,
    format: str | None = None,
    replace: Flag = False,
    table: str = "",
) -> None:
    """Registers a file under a name, after reading it wholly.

    A zip holds one table and the pictures that its rows name.

    Parameters
    ----------
    table
        Which table of the zip, where it holds several.
    """
    register_dataset(name, file, columns=_columns(columns), format=format, replace=replace, table=table)
    write_line(translate("cli.added", name=name))


def remove_(name: str, /) -> None:
    """Forgets a registered dataset; the file itself stays."""
    remove_dataset(name)
    write_line(translate("cli.removed", name=name))


def preview_(
    name: str,
    /,
    *,
    model: str = "smollm2-135m",
    rows: int = 3,
    cutoff_len: int = 2048,
    columns: str | None = None,
    dataset_dir: Path | None = None,
    json: Flag = False,
) -> None:
    """Shows rows as the model will see them: what carries loss, where it is cut."""
    from metier.models import resolve_model
    from metier.prepare import PrepareSpec
    from metier.prepare.preview import preview_rows
    from metier.prepare.views import preview_view
    from metier.rendering import load_renderer

    dataset = load_dataset(name, dataset_dir=dataset_dir, columns=_columns(columns), max_samples=rows, allow_text=True)
    spec = PrepareSpec(dataset=name, model_name_or_path=model, cutoff_len=cutoff_len)
    shown = preview_rows(dataset.conversations, renderer=load_renderer(resolve_model(model)), spec=spec)
    if json:
        write_json(shown)
    else:
        Console(highlight=False).print(preview_view(shown))


def check_(
    name: str,
    /,
    *,
    test: str | None = None,
    model: str | None = None,
    cutoff_len: int = 2048,
    columns: str | None = None,
    dataset_dir: Path | None = None,
    pictures: Flag = False,
    json: Flag = False,
) -> None:
    """Counts, cut rows, duplicates, near duplicates, and leaks to a test set.

    Parameters
    ----------
    pictures
        Also unpack every picture, not only read its header.
    """
    from metier.prepare import PrepareSpec
    from metier.prepare.check import check_dataset
    from metier.prepare.views import check_view

    options: dict[str, Any] = {"dataset_dir": dataset_dir, "columns": _columns(columns)}
    dataset = load_dataset(name, skip_bad_rows=True, **options)
    against = load_dataset(test, **options) if test else None
    values: dict[str, Any] = {"dataset": name, "cutoff_len": cutoff_len}
    renderer = None
    if model:
        from metier.models import resolve_model
        from metier.rendering import load_renderer

        values["model_name_or_path"] = model
        renderer = load_renderer(resolve_model(model))
    with Display() as display:
        display({"event": "step", "name": "prepare"})
        spec, events = PrepareSpec(**values), EventLog(None, (display,))
        result = check_dataset(dataset, against, renderer=renderer, spec=spec, events=events, open_pictures=pictures)
    unreadable = [error.text() for error in dataset.skipped]
    if json:
        write_json({**result, "unreadable": unreadable})
        return
    Console(highlight=False).print(check_view(result))
    for line in unreadable:
        write_line(line)


def split_(
    name: str,
    /,
    *,
    test_rows: int,
    output_dir: Path,
    seed: int = 42,
    max_samples: int | None = None,
    columns: str | None = None,
    dataset_dir: Path | None = None,
    skip_bad_rows: Flag = False,
) -> None:
    """Writes train.jsonl and test.jsonl; no test row is the same as, or close to, a training row."""
    from metier.prepare.split import split_dataset

    dataset = load_dataset(
        name,
        dataset_dir=dataset_dir,
        columns=_columns(columns),
        max_samples=max_samples,
        skip_bad_rows=skip_bad_rows,
    )
    train, test = split_dataset(dataset, test_rows, seed=seed)
    for part, file in ((train, "train.jsonl"), (test, "test.jsonl")):
        write_dataset(part, output_dir / file)
        write_line(f"{output_dir / file}: {len(part)}")


def _columns(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    mapping = dict(parse_columns(text))
    if not mapping:
        raise DataError("cli.bad_pairs", flag="--columns", value=text)
    return mapping
