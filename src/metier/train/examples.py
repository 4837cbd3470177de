"""A dataset as the token rows that are trained on. What would teach a wrong lesson is refused by row number."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from metier.core.errors import DataError
from metier.core.events import EventLog
from metier.core.i18n import translate
from metier.data.pictures import read_picture
from metier.train.spec import TrainSpec

if TYPE_CHECKING:
    from metier.rendering import Example
    from metier.rendering.eyes import Eyes

IGNORED = -100


class Renders(Protocol):
    """The part of a Renderer that training needs."""

    tokenizer: Any
    pad_id: int
    eyes: Eyes | None

    def examples(
        self,
        conversation: Any,
        *,
        cutoff_len: int | None = None,
        train_on_history: bool = False,
        enable_thinking: bool | None = None,
    ) -> list[Example]: ...


def load_examples(spec: TrainSpec, reference: str, renderer: Renders, events: EventLog) -> list[Example]:
    """Renders each conversation of the set named `reference` (or sets, comma-separated).

    Raises DataError for a set without anything to learn, and for an answer that would be cut unless
    `allow_truncated_answers`.
    """
    from metier.data import load_dataset

    dataset = load_dataset(
        reference,
        dataset_dir=_folder(spec.dataset_dir),
        columns=spec.columns,
        max_samples=spec.max_samples,
        skip_bad_rows=spec.skip_bad_rows,
    )
    if dataset.left_out:
        events.emit("warning", message=dataset.left_out.text())
    rendered = (
        example
        for conversation in dataset.conversations
        for example in renderer.examples(
            conversation,
            cutoff_len=spec.cutoff_len,
            train_on_history=spec.train_on_history,
            enable_thinking=spec.enable_thinking,
        )
    )
    return check_examples(rendered, reference, spec, events)


def check_examples(rendered: Iterable[Example], name: str, spec: TrainSpec, events: EventLog) -> list[Example]:
    """The examples that carry loss. Cut answers are refused, or counted in a warning where they are allowed."""
    examples = list(rendered)
    cut = sorted({example.row for example in examples if example.answer_truncated})
    if cut and not spec.allow_truncated_answers:
        raise DataError("train.answer_cut", dataset=name, rows=_rows(cut), count=len(cut), cutoff=spec.cutoff_len)
    if cut:
        text = translate("train.answers_cut_allowed", dataset=name, count=len(cut), rows=_rows(cut))
        events.emit("warning", message=text)
    kept = [example for example in examples if any(label != IGNORED for label in example.labels[1:])]
    if not kept:
        raise DataError("train.nothing_to_learn", dataset=name, rows=len(examples))
    if len(kept) < len(examples):
        events.emit(
            "warning", message=translate("train.rows_without_loss", dataset=name, count=len(examples) - len(kept))
        )
    return kept


def examples_sha256(examples: Iterable[Example]) -> str:
    """Identity of what is learnt: a hash of all token ids, labels and pictures in order."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(array("q", [len(example.input_ids), *example.input_ids, *example.labels]).tobytes())
        for picture in example.pictures:
            digest.update(hashlib.sha256(read_picture(picture)).digest())
    return digest.hexdigest()


def _rows(rows: list[int]) -> str:
    shown = ", ".join(str(row) for row in rows[:5])
    return shown + (" …" if len(rows) > 5 else "")


def _folder(path: Path | None) -> Path | None:
    return path.expanduser() if path else None
