"""What is known about a set before it is trained on: lengths, cuts, empty answers, repetitions, leaks, by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from metier.core.errors import UserError
from metier.core.events import EventLog
from metier.data import Conversation, Dataset
from metier.prepare.comparable import boilerplate, normalised, questions, shortened
from metier.prepare.lengths import length_counts
from metier.prepare.pictured import picture_facts, unopened
from metier.prepare.progress import Progress, size
from metier.prepare.similar import near_pairs
from metier.prepare.spec import PrepareSpec
from metier.rendering import Renderer
from metier.rendering.thinking import strip_thinking

_EMPTY = ("data.empty_answer", "data.empty_question", "data.no_messages", "data.missing_answer")


def check_dataset(
    dataset: Dataset,
    test: Dataset | None = None,
    *,
    renderer: Renderer | None = None,
    spec: PrepareSpec | None = None,
    events: EventLog | None = None,
    open_pictures: bool = False,
) -> dict[str, Any]:
    """The checks of a loaded set as JSON-able values (the file `prepare.json`).

    test: the set that scores will be taken on; renderer: counts the model's tokens (`unit` is then `tokens`, else
    `characters`, and nothing is said about cuts). Rows of a pair are 1-based row numbers; each later row is paired with
    the earlier one it is nearest to, each test row with its nearest training row. `unusable`: {row, problem} of rows
    that reading left out (the first `left_out` of them) or the template does not take; `test_unusable`: of test rows
    that reading left out. `pictures`: see `picture_facts`; open_pictures: unpack each one, and count rows with broken
    ones among the unusable. `refused` is None here: the step decides what is refused.
    """
    spec = spec or PrepareSpec()
    rows, test_rows = dataset.conversations, test.conversations if test else []
    progress = Progress(events, (3 if open_pictures else 2) * size(rows) + (size(rows, test_rows) if test else 0))
    shared = boilerplate(rows, test_rows)
    asked = questions(rows, boilerplate=shared)
    result: dict[str, Any] = {
        "dataset": dataset.name,
        "dataset_sha256": dataset.sha256,
        "test_dataset": test.name if test else None,
        "test_dataset_sha256": test.sha256 if test else None,
        "rows": len(rows),
        "test_rows": len(test_rows) if test else None,
        "pictures": picture_facts(rows),
        **_lengths(rows, renderer, spec, progress),
        "empty": _empty(dataset),
        **_repetitions(rows, asked, spec.near_duplicate_threshold, progress),
        "near_duplicate_threshold": spec.near_duplicate_threshold,
        "leaks": None,
        "refused": None,
    }
    if open_pictures:
        result["unusable"] += unopened(rows, progress)
    result["left_out"] = len(dataset.skipped)
    result["unusable"] = [*_unread(dataset), *result["unusable"]]
    result["test_unusable"] = _unread(test) if test is not None else []
    if test is not None:
        asked_there = questions(test_rows, boilerplate=shared)
        result["leaks"] = _leaks(rows, asked, test_rows, asked_there, spec.near_duplicate_threshold, progress)
    return result


def _unread(dataset: Dataset) -> list[dict[str, Any]]:
    return [{"row": one.fields.get("row"), "problem": str(one)} for one in dataset.skipped]


def _lengths(
    rows: Sequence[Conversation], renderer: Renderer | None, spec: PrepareSpec, progress: Progress
) -> dict[str, Any]:
    """Lengths of whole examples and of answers, and what `cutoff_len` cuts."""
    counted = _Counted() if renderer is None else _count_tokens(rows, renderer, spec, progress)
    if renderer is None:
        for row in progress.over(rows, "lengths"):
            counted.lengths.append(sum(len(turn.text) for turn in row.messages))
            counted.answers.append(len(row.label))
    return {
        "unit": "characters" if renderer is None else "tokens",
        "examples": len(counted.lengths),
        "cutoff_len": None if renderer is None else spec.cutoff_len,
        "tokens": length_counts(counted.lengths),
        "answer_tokens": length_counts(counted.answers),
        "truncated": {"rows": counted.cut_rows, "answers": counted.cut_answers},
        "unusable": counted.unusable,
    }


@dataclass
class _Counted:
    """Lengths of examples and answers; row numbers of what is cut; rows that cannot be rendered, and why."""

    lengths: list[int] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    cut_rows: list[int] = field(default_factory=list)
    cut_answers: list[int] = field(default_factory=list)
    unusable: list[dict[str, Any]] = field(default_factory=list)

    def note(self, row: Conversation, problem: UserError) -> None:
        self.unusable.append({"row": row.row, "problem": str(problem)})


def _count_tokens(rows: Sequence[Conversation], renderer: Renderer, spec: PrepareSpec, progress: Progress) -> _Counted:
    """Renders each row whole; only what is too long is rendered again, to see what the budget leaves of it."""
    counted = _Counted()
    options = {"train_on_history": spec.train_on_history, "enable_thinking": spec.enable_thinking}
    rendered = renderer.examples_many(rows, **options, on_error=counted.note)  # type: ignore[arg-type]
    for row, examples in progress.over(zip(rows, rendered, strict=True), "lengths"):
        counted.lengths += [len(example.input_ids) for example in examples]
        counted.answers += [sum(label >= 0 for label in example.labels) for example in examples]
        if all(len(example.input_ids) <= spec.cutoff_len for example in examples):
            continue
        counted.cut_rows.append(row.row)
        try:
            cut = renderer.examples(row, cutoff_len=spec.cutoff_len, **options)  # type: ignore[arg-type]
        except UserError as problem:
            counted.note(row, problem)
            continue
        if any(example.answer_truncated for example in cut):
            counted.cut_answers.append(row.row)
    return counted


def _empty(dataset: Dataset) -> list[int]:
    """Rows without a question or an answer: refused while reading, or with nothing but thinking and blanks."""
    refused = [int(one.fields["row"]) for one in dataset.skipped if one.key in _EMPTY and "row" in one.fields]
    blank = [row.row for row in dataset.conversations if not strip_thinking(row.label).strip()]
    return sorted({*refused, *blank})


def _repetitions(
    rows: Sequence[Conversation], asked: list[str], threshold: float, progress: Progress
) -> dict[str, Any]:
    """`duplicates`: same question and answer. `near_duplicates`: other rows whose questions are the same or nearly."""
    duplicates: list[list[int]] = []
    nearest: dict[int, tuple[float, int]] = {}
    first_row: dict[tuple[str, str], int] = {}
    first_question: dict[str, int] = {}
    distinct: list[int] = []
    for index, row in enumerate(rows):
        whole = (asked[index], normalised(row.label))
        if whole in first_row:
            duplicates.append([rows[first_row[whole]].row, row.row])
            continue
        first_row[whole] = index
        if asked[index] in first_question:
            nearest[index] = (1.0, first_question[asked[index]])
            continue
        first_question[asked[index]] = index
        distinct.append(index)
    texts = [shortened(asked[index]) for index in distinct]
    found, method = near_pairs(texts, None, threshold, lambda units: progress.advance(units, "duplicates"))
    for pair in found:
        earlier, later = distinct[pair.left], distinct[pair.right]
        # The best partner, and of equally good ones the first.
        nearest[later] = max(nearest.get(later, (0.0, 0)), (pair.score, earlier), key=lambda one: (one[0], -one[1]))
    near = [[rows[earlier].row, rows[later].row, score] for later, (score, earlier) in sorted(nearest.items())]
    return {"duplicates": duplicates, "near_duplicates": near, "near_search": method}


def _leaks(
    rows: Sequence[Conversation],
    asked: list[str],
    test_rows: Sequence[Conversation],
    asked_there: list[str],
    threshold: float,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Test rows whose question, or nearly, is also trained on. The answer does not matter: it was given away."""
    places: dict[str, int] = {}
    for index, text in enumerate(asked):
        places.setdefault(text, index)
    leaks: dict[int, tuple[float, str, int]] = {}
    rest: list[int] = []
    for index, text in enumerate(asked_there):
        if text and text in places:
            leaks[index] = (1.0, "exact", places[text])
        elif text:
            rest.append(index)
    found, _ = near_pairs(
        [shortened(asked_there[index]) for index in rest],
        [shortened(text) for text in asked],
        threshold,
        lambda units: progress.advance(units * (1 + len(rows) / max(1, len(rest))), "leaks"),
    )
    for pair in found:
        index = rest[pair.left]
        candidate = (pair.score, "near", pair.right)
        leaks[index] = max(leaks.get(index, (0.0, "near", 0)), candidate, key=lambda one: (one[0], -one[2]))
    return [
        {"train_row": rows[place].row, "test_row": test_rows[index].row, "kind": kind, "score": score}
        for index, (score, kind, place) in sorted(leaks.items())
    ]
