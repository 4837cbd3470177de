"""What an evaluation found: scores with their intervals and definitions, and rows, the worst first.

It reads what the steps of a job left: those of a scored prediction, of a recipe, or one predict or evaluate step alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from metier.core.files import read_json
from metier.evaluate.parts import part_of
from metier.evaluate.spec import DECIDING
from metier.rendering.thinking import split_thinking
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.errors import NotFoundError
from metier.workbench.jobs import Jobs
from metier.workbench.store.tables import Job

KINDS = ("score", "recipe", "predict", "evaluate", "compare")
ORDERS = ("worst", "best", "lost", "gained", "row")
PAGE = 20
_STEPS = ("evaluate", "evaluate-tuned", "evaluate-base", "predict", "predict-tuned", "predict-base", "guard-tuned",
          "guard-base")  # fmt: skip
_SIDES = {"evaluate": "predict", "evaluate-base": "predict-base", "evaluate-tuned": "predict-tuned"}
_METRICS, _ROWS, _PREDICTIONS, _COMPARE = "metrics.json", "rows.jsonl", "predictions.jsonl", "compare.json"


@dataclass(frozen=True)
class Side:
    """One model's part. step: where its answers are; predictions: its answers; metrics, rows: its scores, if scored."""

    step: str
    predictions: Path | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    rows: Path | None = None


@dataclass(frozen=True)
class Evaluation:
    """What a job's step is worth. step: the one looked at; side: whose answers; base: the model it stands beside;
    comparison: what comparing both found; steps: which of them can be looked at."""

    job: Job
    step: str
    side: Side
    base: Side | None
    comparison: dict[str, Any]
    steps: list[str]

    @property
    def lines(self) -> list[Line]:
        """The scores, the deciding one first."""
        return _lines(self)

    @property
    def verdict(self) -> dict[str, Any] | None:
        """Outcome and sentences of the comparison; what was forgotten is part of them, so the guard has none."""
        return None if self.step.startswith("guard") else self.comparison.get("verdict")

    @property
    def cautions(self) -> list[dict[str, str]]:
        """What should make a reader careful, in both languages."""
        if self.step.startswith("guard"):
            return []
        return list(self.comparison.get("cautions") or self.side.metrics.get("warnings") or [])

    @property
    def groups(self) -> dict[str, Any]:
        """Scores by kind of chart, question and field; see `metier.evaluate.groups`."""
        if self.step.startswith("guard"):
            return {}
        return dict(self.comparison.get("groups") or self.side.metrics.get("groups") or {})

    @property
    def views(self) -> list[str]:
        """One step for each model whose answers can be looked at: the scored one, where there is one."""
        scored = {one.replace("evaluate", "predict") for one in self.steps if one.startswith("evaluate")}
        return [one for one in self.steps if one not in scored]

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics that rows can be ordered by, the deciding one first."""
        return [line.name for line in self.lines if self.side.rows is not None]


@dataclass(frozen=True)
class Line:
    """One metric. value, base: `{score, low, high, method}`; change: `{difference, low, high, method}` where both
    models answered the same rows; described: what it measures, how, and in which version."""

    name: str
    n: int
    maximum: float
    proportion: bool
    value: dict[str, Any]
    base: dict[str, Any] | None
    change: dict[str, Any] | None
    described: dict[str, Any]
    decides: bool


@dataclass(frozen=True)
class Answer:
    """A model's answer to a row. read: what was understood of it, where it chose an option."""

    text: str
    thinking: str | None
    scores: dict[str, float | None]
    read: str | None
    cut: bool


@dataclass(frozen=True)
class Row:
    """A row with what was asked, what was right, and what was answered. images: what the pictures that were asked about
    are called; source: the row of the set that it was read from."""

    row: int
    id: int | str
    kind: str
    prompt: str
    label: str
    gold: str | None
    answer: Answer
    base: Answer | None
    images: tuple[str, ...] = ()
    source: int | None = None


@dataclass(frozen=True)
class Rows:
    """Some rows, how many there are in all, and where the next ones begin (None: there are no more)."""

    rows: list[Row]
    total: int
    next: int | None


class Results:
    """Reads results for the owner of a job."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    def get(self, owner: Person, job_id: str, step: str = "") -> Evaluation:
        """What there is by now. Raises NotFoundError for a step that the job does not have."""
        job = self.jobs.get(owner, job_id)
        steps = self.jobs.folder_of(job) / layout.RUN / "steps"
        there = [name for name in _STEPS if _has_results(steps / name)]
        if step and step not in there:
            raise NotFoundError("workbench.not_found")
        chosen = step or next(iter(there), "")
        kind, _, name = chosen.partition("-")
        pair = name == "tuned" or not there  # a comparison alone has the scores of both, and no answers of its own
        base = self._side(steps, f"{kind}-base") if pair else None
        comparison = _read(steps / "compare" / _COMPARE) if pair else {}
        if kind == "guard":
            comparison = {**comparison, "metrics": comparison.get("guard", {}), "primary": "correct"}
        return Evaluation(job, chosen, self._side(steps, chosen), base, comparison, there)

    def _side(self, steps: Path, step: str) -> Side:
        answers = steps / _SIDES.get(step, step) / _PREDICTIONS
        scored = steps / step.replace("predict", "evaluate")
        metrics, rows = _read(scored / _METRICS), scored / _ROWS
        if not answers.is_file() and metrics:
            # Another run's answers were scored: they lie where that run lies, if it is still there.
            answers = (scored / str(metrics["predictions"]["file"])).resolve()
        there = answers.is_file() and answers.resolve().is_relative_to(self.jobs.folder.resolve())
        return Side(
            _SIDES.get(step, step),
            answers if there else None,
            metrics,
            rows if metrics and rows.is_file() else None,
        )

    def rows(
        self, found: Evaluation, *, order: str = "worst", metric: str = "", search: str = "", part: str = "",
        after: int = 0, limit: int = PAGE,
    ) -> Rows:  # fmt: skip
        """Rows in an order of ORDERS by a metric, of which the texts hold `search`. part: of a division, as in
        `chart_type=bar`; after: how many to pass over."""
        if found.side.predictions is None:
            return Rows([], 0, None)
        places = _ordered(found, order, metric)
        by, _, value = part.partition("=")
        if search.strip() or value:
            hits = {
                line
                for line, record in _lines_of(found.side.predictions)
                if _holds(record, search) and (not value or part_of(record.get("meta") or {}, by) == value)
            }
            places = _all_lines(found.side.predictions) if places is None else places
            places = [line for line in places if line in hits]
        elif places is None:
            places = _all_lines(found.side.predictions)
        wanted = places[after : after + max(1, min(limit, 200))]
        rows = {row.row: row for row in _read_rows(found, frozenset(wanted))}
        end = after + len(wanted)
        return Rows([rows[line] for line in wanted if line in rows], len(places), end if end < len(places) else None)

    def every_row(self, found: Evaluation) -> Iterator[Row]:
        """All rows, in the order of the set."""
        yield from _read_rows(found, None)


def headline(summary: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The deciding metric of a finished job's summary: its name and `{score, low, high}`; None where none is."""
    metrics = summary.get("metrics")
    if not isinstance(metrics, dict) or not metrics:
        return None
    name = next((one for one in DECIDING if one in metrics), next(iter(metrics)))
    return name, metrics[name]


def _lines(found: Evaluation) -> list[Line]:
    compared = found.comparison.get("metrics") or {}
    own = found.side.metrics.get("metrics") or {}
    beside = (found.base.metrics.get("metrics") or {}) if found.base else {}
    lines = []
    primary = found.comparison.get("primary") or next((one for one in DECIDING if one in own), None)
    for name in sorted({**compared, **own}, key=lambda one: one != primary):
        entry = compared.get(name)
        described = entry or own[name]
        change = {key: entry[key] for key in ("difference", "low", "high", "method")} if entry else None
        lines.append(
            Line(
                name=name,
                n=int(described["n"]),
                maximum=float(str(described["scale"]).rpartition("-")[2]),
                proportion=bool(described["proportion"]),
                value=entry["tuned"] if entry else own[name],
                base=entry["base"] if entry else beside.get(name),
                change=change,
                described=described,
                decides=name == primary,
            )
        )
    return lines


def _has_results(step: Path) -> bool:
    return (step / _PREDICTIONS).is_file() or (step / _METRICS).is_file()


def _read(path: Path) -> dict[str, Any]:
    """A file of the run, or nothing while it is not there."""
    try:
        value = read_json(path)
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


# Rows


@lru_cache(maxsize=8)
def _scored(path: Path, _changed: int, _size: int) -> dict[int, dict[str, Any]]:
    return {record["line"]: record for _, record in _lines_of(path)}


def _scores_of(side: Side) -> dict[int, dict[str, Any]]:
    """What `rows.jsonl` says of each row, by its line in the file of answers."""
    if side.rows is None:
        return {}
    state = side.rows.stat()
    return _scored(side.rows, state.st_mtime_ns, state.st_size)


def _ordered(found: Evaluation, order: str, metric: str) -> list[int] | None:
    """Lines of the answers in the order asked for; None where nothing is known to order them by."""
    scores = _scores_of(found.side)
    if order == "row" or not scores:
        return sorted(scores) or None
    names = [metric, *(name for name in DECIDING if name != metric), "rougel"] if metric else [*DECIDING, "rougel"]
    before = {one["id"]: one["scores"] for one in _scores_of(found.base).values()} if found.base else {}
    relative = order in ("lost", "gained")
    sign = -1.0 if order in ("best", "gained") else 1.0

    def key(line: int) -> tuple[Any, ...]:
        one = scores[line]
        other = before.get(one["id"], {}) if relative else {}
        values = []
        for name in names:
            value, less = one["scores"].get(name), other.get(name, 0.0) or 0.0
            values.append((value is None, 0.0 if value is None else sign * (value - less)))
        return *values, line

    return sorted(scores, key=key)


def _lines_of(path: Path, wanted: frozenset[int] | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Whole lines of a file that may still be growing, numbered from 1."""
    for line, text in _texts_of(path):
        if wanted is not None and line not in wanted:
            continue
        record = json.loads(text)
        if isinstance(record, dict):
            yield line, record


def _texts_of(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as source:
        for line, text in enumerate(source, start=1):
            if text.strip() and text.endswith(b"\n"):
                yield line, text


def _all_lines(path: Path) -> list[int]:
    return [line for line, _ in _texts_of(path)]


def _holds(record: Mapping[str, Any], search: str) -> bool:
    sought = search.strip().casefold()
    return any(sought in str(record.get(name, "")).casefold() for name in ("prompt", "label", "predict"))


def _read_rows(found: Evaluation, wanted: frozenset[int] | None) -> Iterator[Row]:
    """The rows on the wanted lines (None: all), in the order of the file."""
    if found.side.predictions is None:
        return
    scores = _scores_of(found.side)
    others = {}
    if found.base is not None and found.base.predictions is not None:
        base_scores = _scores_of(found.base)
        # Both files list the same rows in the same order, so a row's line is its partner's line.
        for line, record in _lines_of(found.base.predictions, wanted):
            others[record.get("id")] = _answer(record, base_scores.get(line, {}))
    for line, record in _lines_of(found.side.predictions, wanted):
        score = scores.get(line, {})
        yield Row(
            row=line,
            id=record.get("id", line),
            kind=str(score.get("kind") or (record.get("meta") or {}).get("kind") or ""),
            prompt=str(record.get("prompt", "")),
            label=str(record.get("label") or ""),
            gold=score.get("gold"),
            answer=_answer(record, score),
            base=others.get(record.get("id")),
            images=tuple(one for one in record.get("images") or () if isinstance(one, str)),
            source=_source(record),
        )


def _source(record: Mapping[str, Any]) -> int | None:
    """The row of the set as it was registered: a part of one that a run split off says where its rows were."""
    given = (record.get("meta") or {}).get("source_row", record.get("row"))
    return given if isinstance(given, int) else None


def _answer(record: Mapping[str, Any], score: Mapping[str, Any]) -> Answer:
    thinking, text = split_thinking(str(record.get("predict") or ""))
    return Answer(
        text=text,
        thinking=thinking,
        scores=dict(score.get("scores") or {}),
        read=score.get("extracted"),
        cut=record.get("finish_reason") == "length",
    )
