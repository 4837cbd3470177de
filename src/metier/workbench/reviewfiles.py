"""Two files of answers, from anywhere, as the rows of a blind review: those of `metier compare`, or anybody's."""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

from metier.core.errors import MetierError
from metier.workbench.errors import ConflictError, TooLargeError
from metier.workbench.store.tables import ReviewRow

MOST_BYTES = 1_800_000  # of both files together: what a form may hold
_CHARACTERS = 20_000  # of one text


@dataclass(frozen=True)
class AnswerFile:
    """A file of predictions. name: as its owner calls it, shown once the judging is over."""

    name: str
    content: bytes


def paired_rows(left: AnswerFile, right: AnswerFile, *, most: int, seed: int) -> list[ReviewRow]:
    """Up to `most` rows that both files answer and whose answers differ, drawn with `seed`.

    Raises DataError for what is wrong in a file, ConflictError where no two answers differ.
    """
    from metier.evaluate.pairing import paired
    from metier.evaluate.predictions import Fields, read_predictions

    if len(left.content) + len(right.content) > MOST_BYTES:
        raise TooLargeError("workbench.body_too_large", most=MOST_BYTES)
    with tempfile.TemporaryDirectory(prefix="metier-review-") as scratch:
        files = [Path(scratch) / "left.jsonl", Path(scratch) / "right.jsonl"]
        for file, given in zip(files, (left, right), strict=True):
            file.write_bytes(given.content)
        try:
            rows = [read_predictions(file, Fields(), need_labels=False) for file in files]
            pairs = paired(rows[0], rows[1], files[0], files[1])
        except MetierError as error:
            raise _renamed(error, dict(zip(map(str, files), (left.name, right.name), strict=True))) from error
    different = [pair for pair in pairs if pair[0].answer != pair[1].answer]
    if not different:
        raise ConflictError("workbench.review_all_same")
    drawn = random.Random(seed).sample(different, min(most, len(different)))
    return [
        ReviewRow(
            place=place,
            prompt=_text(one.prompt),
            label=_text(one.label),
            left=_text(one.predict),
            right=_text(other.predict),
        )
        for place, (one, other) in enumerate(drawn)
    ]


def _renamed(error: MetierError, names: dict[str, str]) -> MetierError:
    """The same error about the file as its owner knows it."""
    fields = {key: names.get(str(value), value) for key, value in error.fields.items()}
    return type(error)(error.key, **fields)


def _text(text: str) -> str:
    """Fit for every database: without NUL, lone surrogates made visible, very long texts cut."""
    shown = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return shown if len(shown) <= _CHARACTERS else f"{shown[:_CHARACTERS]}…"
