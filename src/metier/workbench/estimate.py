"""What a configuration would see and need: rows, tokens, cuts, an example, memory, minutes. Loads no weights.

Called in a process of its own (`planchild`). Large sets are sampled: what is counted then is an estimate and said so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.core.errors import UserError
from metier.core.i18n import LANGUAGES, use_language
from metier.predict import PredictSpec
from metier.recipes.plan import Plan, make_plan
from metier.recipes.plan_data import DataCount
from metier.train import TrainSpec
from metier.workbench.speed import Speed, answering_seconds, speed_of, training_seconds

if TYPE_CHECKING:
    from metier.data import Conversation
    from metier.rendering import Renderer

SAMPLE = 2000  # rows that are counted token by token
_SHOWN = 1500  # characters of the example
_START_SECONDS = (4.0, 25.0)  # of a step: starting, loading the model
_BYTES_PER_TOKEN = 3.0  # where the tokenizer is not here yet


def estimate(request: dict[str, Any]) -> dict[str, Any]:
    """The estimate for a request of `Planner`: what the rows are, and what the machine would do with them.

    Keys: `rows`, `tokens`, `longest`, `cut_rows`, `example` and the numbers of its `pictures`, `steps`, …; `memory`,
    `available`, `fits`, `minutes`, … unless the model's configuration is not known, which `notes` says.
    """
    use_language(request.get("language"))
    if "parts" in request:
        return _answers(request)
    training = request.get("training", True)
    train = TrainSpec.model_validate(request["train"])
    predict = PredictSpec.model_validate(request["predict"]) if request.get("predict") else None
    found = _rows_facts(request, train, training)
    try:
        plan = make_plan(
            train.model_copy(update={"dataset": ""}),
            predict.model_copy(update={"dataset": ""}) if predict else None,
            devices=request["devices"], device_memory_bytes=request["machine"]["memory"],
            gpu=request["machine"]["gpu"], data=DataCount(found["rows"], "here", found["longest"]),
            test_rows=request.get("test_rows") or 0,
        )  # fmt: skip
    except UserError as error:
        found["notes"].append(_both(error))
        return found
    minutes = _minutes(
        request, speed_of(request["machine"], plan.train, request.get("measured")), found, predict, train
    )
    return {**found, **_memory_facts(plan, training), **minutes, "measured": bool(request.get("measured"))}


def _answers(request: dict[str, Any]) -> dict[str, Any]:
    """Minutes of answers to prompts of about such lengths, one after the other: `parts` of (how often at least,
    at most, tokens of a prompt, tokens of an answer at most)."""
    train = TrainSpec.model_validate(request["train"])
    predict = PredictSpec(model_name_or_path=train.model_name_or_path)
    longest = max(prompt + most for _, _, prompt, most in request["parts"])
    plan = make_plan(
        train, predict, devices=1, device_memory_bytes=request["machine"]["memory"], gpu=request["machine"]["gpu"],
        data=DataCount(1, "here", longest), test_rows=0,
    )  # fmt: skip
    speed = speed_of(request["machine"], plan.train, None)
    low = high = 0.0
    for least, count, prompt, most in request["parts"]:
        low += answering_seconds(speed, least, prompt, most / 4, most, 1)[0]
        high += answering_seconds(speed, count, prompt, most, most, 1)[1]
    low, high = low + _START_SECONDS[0], high + len(request["parts"]) * _START_SECONDS[1]
    return {"minutes": [low / 60, high / 60]}


def _rows_facts(request: dict[str, Any], train: TrainSpec, training: bool) -> dict[str, Any]:
    rows, total, bad = _load(json.dumps(request["sets"]), train.max_samples, training)
    total -= min(request.get("kept_away") or 0, max(0, total - 1))
    renderer, problem = _renderer(train.model_name_or_path, train.template)
    seen = _seen(rows, renderer, train)
    scale = total / max(1, len(rows))
    counts = {key: round(seen[key] * scale) for key in ("tokens", "answer_tokens", "cut_rows", "cut_answers")}
    learnt = {
        "steps": train.total_steps(max(1, total)),
        "rows_per_step": train.rows_per_step,
        "test_rows": request.get("test_rows"),
    }
    unlearnt = {"steps": None, "rows_per_step": None, "test_rows": None, "cut_rows": 0, "cut_answers": 0}
    return {
        "rows": total,
        "sampled": len(rows) < total,
        "bad_rows": bad,
        "longest": seen["longest"],
        "counted": renderer is not None,
        "example": _example(rows, renderer, train),
        "pictures": list(range(1, 1 + sum(len(turn.images) for turn in rows[0].messages))) if rows else [],
        "notes": [problem] if problem else [],
        **counts,
        **(learnt if training else unlearnt),
    }


def _memory_facts(plan: Plan, training: bool) -> dict[str, Any]:
    asked = plan.predict.total if plan.predict else 0
    return {
        "memory": max(plan.train.total, asked) if training else asked,
        "memory_parts": plan.train.memory if training else plan.predict.memory if plan.predict else {},
        "available": plan.device_memory_bytes,
        "fits": plan.fits if training else plan.predict is None or plan.predict.fits,
        "trainable": plan.train.trainable,
        "parameters": plan.train.parameters,
        "checkpointing": plan.train.checkpointing,
        "advice": plan.advice if training else [],
    }


def _both(error: UserError) -> dict[str, str]:
    return {language: error.text(language) for language in LANGUAGES}


def _minutes(
    request: dict[str, Any], speed: Speed, found: dict[str, Any], predict: PredictSpec | None, train: TrainSpec
) -> dict[str, Any]:
    """Minutes from and to, of the training and of the whole."""
    tokens = found["tokens"] / max(1, found["rows"]) * (found["steps"] or 0) * train.rows_per_step
    training = (0.0, 0.0)
    if request.get("training", True):
        low, high = training_seconds(speed, tokens, request["devices"])
        training = (low + _START_SECONDS[0], high + _START_SECONDS[1])
    low, high = training
    times = request.get("times", 2)  # before and after
    if predict is not None:
        length = found["answer_tokens"] / max(1, found["rows"])
        prompt = found["tokens"] / max(1, found["rows"]) - length
        for rows, most in request["asked"]:
            asked = answering_seconds(speed, rows, prompt, length, most, predict.batch_size or 8)
            low += times * (asked[0] + _START_SECONDS[0])
            high += times * (asked[1] + _START_SECONDS[1])
    return {"train_minutes": [one / 60 for one in training], "minutes": [low / 60, high / 60]}


@lru_cache(maxsize=4)  # while one types, the sets stay the same
def _load(sets: str, limit: int | None, answers: bool) -> tuple[list[Conversation], int, int]:
    """Rows to count on, how many there are in all, and how many of the loaded ones cannot be used."""
    from metier.data import load_dataset

    rows: list[Conversation] = []
    total = bad = 0
    for one in json.loads(sets):
        known = one.get("rows")
        most = min(n for n in (limit, SAMPLE, known or SAMPLE) if n)
        loaded = load_dataset(
            one["reference"], columns=one.get("columns") or None, format=one.get("format"), skip_bad_rows=True,
            require_answers=answers,
            max_samples=None if known is None and not limit else most,
            pictures=Path(one["pictures"]) if one.get("pictures") else None,
        )  # fmt: skip
        count = known if known is not None else len(loaded)
        total += min(count, limit) if limit else count
        bad += len(loaded.skipped)
        rows += loaded.conversations[:SAMPLE]
    return rows, total, bad


@lru_cache(maxsize=4)
def _renderer(name: str, template: str | None) -> tuple[Renderer | None, dict[str, str] | None]:
    """The model's renderer, or why it is not known yet."""
    from metier.models import find, resolve_model
    from metier.models.store import stored
    from metier.rendering import load_renderer

    entry = find(name)
    if not (stored(entry.name if entry else name) or Path(name).is_dir()):
        return None, None  # it would be fetched: that is the run's work
    try:
        return load_renderer(resolve_model(name), template=template), None
    except UserError as error:
        return None, _both(error)


def _seen(rows: Sequence[Conversation], renderer: Renderer | None, train: TrainSpec) -> dict[str, int]:
    """Tokens, the longest row, and cuts of these rows."""
    if renderer is None:
        lengths = [round(sum(len(turn.text.encode()) for turn in row.messages) / _BYTES_PER_TOKEN) for row in rows]
        answers = [round(len(row.messages[-1].text.encode()) / _BYTES_PER_TOKEN) for row in rows if row.messages]
        cut = sum(length > train.cutoff_len for length in lengths)
        return {
            "tokens": sum(min(length, train.cutoff_len) for length in lengths), "answer_tokens": sum(answers),
            "longest": max(lengths, default=0), "cut_rows": cut, "cut_answers": 0,
        }  # fmt: skip
    tokens = answer = longest = cut_rows = cut_answers = 0
    too_long: list[int] = []  # not even their question fits
    examples = renderer.examples_many(
        rows, cutoff_len=train.cutoff_len, train_on_history=train.train_on_history,
        enable_thinking=train.enable_thinking, on_error=lambda row, error: too_long.append(row.row),
    )  # fmt: skip
    for group in examples:
        tokens += sum(len(one.input_ids) for one in group)
        answer += sum(label >= 0 for one in group for label in one.labels)
        longest = max([longest, *(len(one.input_ids) + one.truncated for one in group)])
        cut_rows += any(one.truncated or one.dropped_turns for one in group)
        cut_answers += any(one.answer_truncated for one in group)
    return {"tokens": tokens, "answer_tokens": answer, "longest": longest, "cut_rows": cut_rows + len(too_long),
            "cut_answers": cut_answers + len(too_long)}  # fmt: skip


def _example(rows: Sequence[Conversation], renderer: Renderer | None, train: TrainSpec) -> list[dict[str, Any]]:
    """The first row as the model sees it, in stretches with and without loss."""
    from metier.prepare import PrepareSpec
    from metier.prepare.preview import preview_rows

    options: dict[str, Any] = {"train_on_history": train.train_on_history, "cutoff_len": train.cutoff_len}
    try:
        shown = preview_rows(rows[:1], renderer=renderer, spec=PrepareSpec(**options)) if rows else []
    except UserError:
        return []
    segments, room = [], _SHOWN
    for one in shown[0]["text_segments"] if shown else ():
        segments.append({"text": one["text"][:room] + ("…" if len(one["text"]) > room else ""), "loss": one["loss"]})
        room -= len(one["text"])
        if room <= 0:
            break
    return segments
