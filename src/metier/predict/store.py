"""The answers of a step on disk: appended as they come, found again after a kill, whole and in order at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metier.core.errors import ConfigError, RunError
from metier.core.events import EventLog
from metier.core.files import append_jsonl, fingerprint, read_json, read_jsonl, write_json, write_text
from metier.core.i18n import translate
from metier.predict.prompts import Question
from metier.predict.spec import PredictSpec

PREDICTIONS = "predictions.jsonl"
SETTINGS = "predict.json"
# Settings that do not change an answer, or whose effect is seen in a prompt's hash or in the model's identity.
_INDIFFERENT = {
    *("save_name", "batch_size", "max_samples", "dataset", "dataset_dir", "columns"),
    *("model_name_or_path", "adapter_name_or_path", "revision"),
}
# Rows are written at least this often; a kill costs no more than this.
_FLUSH_SECONDS = 0.5


class PredictionStore:
    """`predictions.jsonl` in `folder`, and `predict.json`, which says with which settings its rows were made."""

    def __init__(self, folder: Path, spec: PredictSpec, identity: dict[str, Any], events: EventLog) -> None:
        self.folder = folder
        self.path = folder / PREDICTIONS
        self.events = events
        self._waiting: list[dict[str, Any]] = []
        self._written = time.monotonic()
        values = {
            **spec.model_dump(mode="json", exclude=_INDIFFERENT),
            "model": fingerprint({key: identity[key] for key in identity if key != "reference"}),
        }
        self._begin(json.loads(json.dumps(values)))

    def _begin(self, settings: dict[str, Any]) -> None:
        """Starts anew where the folder holds answers of other settings."""
        file = self.folder / SETTINGS
        earlier = read_json(file) if file.exists() else None
        if earlier == settings:
            return
        rows = len(read_jsonl(self.path))
        if rows:
            changed = [key for key in settings if not earlier or earlier.get(key) != settings[key]]
            text = translate("predict.began_anew", count=rows, folder=self.folder, changed=", ".join(changed))
            self.events.emit("warning", message=text)
            self.path.unlink()
        write_json(file, settings)

    def kept(self, questions: Sequence[Question]) -> dict[int, dict[str, Any]]:
        """The answers already there, by id. One whose prompt has changed does not count, nor a second one of an id."""
        hashes = {question.id: question.prompt_sha256 for question in questions}
        rows = read_jsonl(self.path)
        kept = {row["id"]: row for row in rows if hashes.get(row["id"]) == row["prompt_sha256"]}
        changed = sum(row["id"] in hashes and hashes[row["id"]] != row["prompt_sha256"] for row in rows)
        if changed:
            self.events.emit("warning", message=translate("predict.rows_changed", count=changed))
        if len(kept) != len(rows):
            self._write_whole(list(kept.values()), self.path)
        return kept

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Takes finished rows; they are on disk within half a second."""
        self._waiting += rows
        if time.monotonic() - self._written >= _FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Appends what is waiting, durably."""
        if self._waiting:
            try:
                append_jsonl(self.path, self._waiting)
            except OSError as error:
                raise RunError("predict.cannot_write", file=self.path, problem=error.strerror) from error
            self._waiting = []
        self._written = time.monotonic()

    def finish(self, questions: Sequence[Question], save_as: Path | None) -> list[dict[str, Any]]:
        """Rewrites the file whole in the order of ids, also to `save_as`; returns its rows.

        Row numbers, labels and what else the data says are taken from the data as it is now.
        """
        rows = {row["id"]: row for row in read_jsonl(self.path)}
        current = [
            {**rows[question.id], "label": question.label, "row": question.row, "meta": question.meta}
            for question in questions
        ]
        for path in [self.path, *([save_as] if save_as else [])]:
            try:
                self._write_whole(current, path)
            except OSError as error:
                raise RunError("predict.cannot_write", file=path, problem=error.strerror) from error
        return current

    def _write_whole(self, rows: Sequence[dict[str, Any]], path: Path) -> None:
        write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def check_save_name(save_name: str) -> Path | None:
    """Where the answers go besides the step's own file (None: nowhere), checked before any time is spent.

    Relative to the current folder, as with `vllm_infer.py`. Raises ConfigError where it cannot be written.
    """
    if save_name == PREDICTIONS:
        return None
    path = Path(save_name).expanduser().absolute()
    if path.is_dir():
        raise ConfigError("predict.save_name_taken", file=path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError("predict.save_name_unwritable", file=path, problem=error.strerror) from error
    return path
