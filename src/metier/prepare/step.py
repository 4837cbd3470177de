"""The step: load, check, show, and refuse what must not be trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.core.errors import DataError
from metier.core.events import EventLog
from metier.core.files import write_json
from metier.data import Dataset, load_dataset
from metier.prepare.check import check_dataset
from metier.prepare.preview import preview_rows
from metier.prepare.spec import PrepareSpec

if TYPE_CHECKING:
    from metier.rendering import Renderer

PREPARE, PREVIEW = "prepare.json", "preview.json"
_ROWS_NAMED = 8


def run_prepare(spec: PrepareSpec, folder: Path, events: EventLog) -> dict[str, Any]:
    """Writes `prepare.json` (see `check_dataset`) and `preview.json` (see `preview_rows`) and returns the former.

    Both are written before anything is refused, so that the reason can be read there (`refused`). Raises DataError for
    a test set that is the training set, rows that the template does not take, and answers that `cutoff_len` would cut
    (unless allowed).
    """
    from metier.models import resolve_model
    from metier.rendering import load_renderer

    events.emit("start", dataset=spec.dataset, test_dataset=spec.test_dataset)
    dataset, test = load_sets(spec)
    resolved = resolve_model(spec.model_name_or_path, revision=spec.revision, events=events)
    renderer: Renderer = load_renderer(resolved, template=spec.template)
    for note in dataset.notes:
        events.emit("log", message=note.text())
    result = check_dataset(dataset, test, renderer=renderer, spec=spec, events=events)
    preview = preview_rows(dataset.conversations[: spec.preview_rows], renderer=renderer, spec=spec)
    refusal = _refusal(spec, dataset, test, result)
    result["refused"] = str(refusal) if refusal else None
    write_json(folder / PREVIEW, preview)
    write_json(folder / PREPARE, result)
    _warn(result, events)
    if refusal:
        raise refusal
    summary = {name: result[name] for name in ("rows", "test_rows", "examples")}
    events.emit("end", **summary, tokens=result["tokens"]["total"], leaks=len(result["leaks"] or []))
    return result


def load_sets(spec: PrepareSpec) -> tuple[Dataset, Dataset | None]:
    """The training set and, if one is named, the test set, as the later steps will load them."""
    options: dict[str, Any] = {"dataset_dir": spec.dataset_dir, "columns": spec.columns}
    options["skip_bad_rows"] = spec.skip_bad_rows
    dataset = load_dataset(spec.dataset, max_samples=spec.max_samples, **options)
    return dataset, load_dataset(spec.test_dataset, **options) if spec.test_dataset else None


def _refusal(spec: PrepareSpec, dataset: Dataset, test: Dataset | None, result: dict[str, Any]) -> DataError | None:
    if test is not None and _same(dataset, test, result):
        return DataError("prepare.same_sets", test=test.name, train=dataset.name)
    refused = result["unusable"][result["left_out"] :]  # what reading left out is left out on request
    if refused:
        return DataError("prepare.unusable", count=len(refused), problem=refused[0]["problem"])
    cut = result["truncated"]["answers"]
    if cut and not spec.allow_truncated_answers:
        return DataError(
            "prepare.answers_cut", dataset=dataset.name, count=len(cut), rows=_named(cut), cutoff=spec.cutoff_len
        )
    return None


def _same(dataset: Dataset, test: Dataset, result: dict[str, Any]) -> bool:
    """One file under two names, or two files with the same questions."""
    exact = [leak for leak in result["leaks"] if leak["kind"] == "exact"]
    return dataset.sha256 == test.sha256 or (len(exact) == len(test) and len(test) >= len(dataset))


def _warn(result: dict[str, Any], events: EventLog) -> None:
    """One warning for each kind of finding that a person should look at."""
    from metier.core.i18n import translate

    leaks = [leak["test_row"] for leak in result["leaks"] or []]
    found = {
        "leaks": leaks,
        "test_unusable": [one["row"] for one in result["test_unusable"]],
        "rows_cut": result["truncated"]["rows"],
        "empty": result["empty"],
        "duplicates": [pair[1] for pair in result["duplicates"]],
        "near_duplicates": [pair[1] for pair in result["near_duplicates"]],
    }
    for name, rows in found.items():
        if rows:
            text = translate(f"prepare.found_{name}", count=len(rows), rows=_named(rows), cutoff=result["cutoff_len"])
            events.emit("warning", kind=name, count=len(rows), rows=rows[:_ROWS_NAMED], message=text)


def _named(rows: list[int]) -> str:
    """The first row numbers, and that there are more."""
    return ", ".join(str(row) for row in rows[:_ROWS_NAMED]) + (", …" if len(rows) > _ROWS_NAMED else "")
