"""The process that puts two files of answers side by side: `python -m metier.workbench.pairing LEFT RIGHT FOLDER`.

A process of its own, with limits: scoring thousands of rows would make every page of the server wait. FOLDER becomes:

  pair.json      what `metier.evaluate` says of the pair, or `problem`: why the two cannot be compared; per row, which
                 side is better by the deciding metric, whether the answers are the same, and where its line begins
  rows.jsonl     the rows: question, reference, both answers, both scores
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metier.core.errors import MetierError
from metier.core.events import EventLog
from metier.core.files import whole_folder, write_json
from metier.evaluate import METRICS, CompareSpec, run_compare
from metier.evaluate.pairing import paired
from metier.evaluate.predictions import Fields, Row, read_predictions
from metier.evaluate.scoring import score

PAIR, ROWS = "pair.json", "rows.jsonl"
SECONDS = 600
_MEMORY_BYTES = 8 * 1024**3
_CHARACTERS = 20_000  # of one text
_TIE = 1e-9


def main() -> int:
    """Reads both files and leaves the folder. A pair that cannot be is a result too."""
    left, right, folder = (Path(argument) for argument in sys.argv[1:4])
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    with whole_folder(folder) as aside:
        write_pair(left, right, aside)
    return 0


def write_pair(left: Path, right: Path, folder: Path) -> None:
    """Fills `folder` with the comparison and its rows."""
    names = {str(left): "A", str(right): "B"}
    try:
        files = [read_predictions(file, Fields(), need_labels=False) for file in (left, right)]
        pairs = paired(files[0], files[1], left, right)
    except MetierError as error:
        write_json(folder / PAIR, {"problem": _problem(error, names), "rows": 0})
        return
    sides = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    try:
        run_compare(CompareSpec(base=left, tuned=right, rows_shown=0), folder, EventLog(None))
        compared = json.loads((folder / "compare.json").read_text(encoding="utf-8"))
        scores = _scores(sides, compared["primary"], compared["language"])
        found: dict[str, Any] = {"problem": None, "compared": compared}
    except MetierError as error:
        scores = [None] * len(pairs)
        found = {"problem": _problem(error, names), "compared": None}
    (folder / "compare.json").unlink(missing_ok=True)
    write_json(folder / PAIR, {**found, "rows": len(pairs), "index": _write_rows(folder / ROWS, pairs, scores)})


def _problem(error: MetierError, names: dict[str, str]) -> dict[str, Any]:
    """A message's key and fields, with the machine's paths replaced by the sides' names."""
    return {"key": error.key, "fields": {key: names.get(str(value), str(value)) for key, value in error.fields.items()}}


def _scores(sides: tuple[Sequence[Row], Sequence[Row]], metric: str, language: str) -> list[tuple[float, float] | None]:
    """Each row's two values by the deciding metric; None where it does not judge the row."""
    left, right = (score(rows, METRICS.get(metric), language).by_place() for rows in sides)
    values: list[tuple[float, float] | None] = []
    for place in range(len(sides[0])):
        pair = left.get(place), right.get(place)
        known = pair[0] is not None and pair[1] is not None and None not in (pair[0].value, pair[1].value)
        values.append((pair[0].value, pair[1].value) if known else None)  # type: ignore[union-attr, arg-type]
    return values


def _write_rows(
    path: Path, pairs: Sequence[tuple[Row, Row]], scores: Sequence[tuple[float, float] | None]
) -> dict[str, list[Any]]:
    """Writes the rows and returns columns to choose among them: `better` (`left`, `right`, `tie`, None), `same`, and
    `offsets` in bytes."""
    better: list[str | None] = []
    offsets: list[int] = []
    with path.open("wb") as target:
        for (left, right), values in zip(pairs, scores, strict=True):
            offsets.append(target.tell())
            record = {
                "row": left.meta.get("row", left.line),
                "prompt": _text(left.prompt),
                "label": _text(left.label),
                "images": list(left.images),
                "source": left.meta.get("source_row", left.row),
                "left": _text(left.predict),
                "right": _text(right.predict),
                "scores": values,
            }
            target.write(json.dumps(record, ensure_ascii=False).encode("utf-8") + b"\n")
            better.append(_better(values))
    return {"better": better, "same": [left.predict == right.predict for left, right in pairs], "offsets": offsets}


def _better(values: tuple[float, float] | None) -> str | None:
    if values is None:
        return None
    change = values[1] - values[0]
    return "tie" if abs(change) <= _TIE else "right" if change > 0 else "left"


def _text(text: str) -> str:
    """Fit for a file: lone surrogates made visible, very long texts cut."""
    shown = text.encode("utf-8", "replace").decode("utf-8")
    return shown if len(shown) <= _CHARACTERS else f"{shown[:_CHARACTERS]}…"


if __name__ == "__main__":
    sys.exit(main())
