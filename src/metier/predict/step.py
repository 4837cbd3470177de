"""The predict step: rows of a dataset → `predictions.jsonl`, appended as answers end, whole and in order at the end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.core.errors import ConfigError, DataError
from metier.core.events import EventLog
from metier.data import load_dataset
from metier.engines import EngineOptions, open_engine
from metier.models import model_identity, resolve_model
from metier.predict.progress import Progress
from metier.predict.prompts import Question, read_questions
from metier.predict.spec import PredictSpec
from metier.predict.store import PredictionStore, check_save_name

if TYPE_CHECKING:
    from metier.engines import Completion, Engine


def run_predict(spec: PredictSpec, folder: Path, events: EventLog) -> dict[str, Any]:
    """Answers each row of the dataset and returns counts, speeds and LLaMA-Factory's `predict_*` keys.

    folder: gets `predictions.jsonl`; answers already there for the same prompts and settings are kept.
    Raises ConfigError or DataError for the user's mistakes, InterruptedRunError on Ctrl-C (nothing is lost).
    """
    if not spec.dataset:
        raise ConfigError("predict.no_dataset")
    save_as = check_save_name(spec.save_name)
    began = time.monotonic()
    dataset = load_dataset(
        spec.dataset,
        dataset_dir=spec.dataset_dir,
        columns=spec.columns,
        max_samples=spec.max_samples,
        require_answers=False,
        skip_bad_rows=spec.skip_bad_rows,
    )
    if dataset.left_out:
        events.emit("warning", message=dataset.left_out.text())
    if not len(dataset):
        raise DataError("predict.no_rows", dataset=spec.dataset)
    resolved = resolve_model(spec.model_name_or_path, spec.adapter_name_or_path, revision=spec.revision, events=events)
    options = EngineOptions(spec.template, spec.dtype, spec.device, spec.merge_adapter, spec.vllm_config)
    engine = open_engine(spec.engine, resolved, options)
    questions = read_questions(dataset.conversations, engine, spec, events)
    store = PredictionStore(folder, spec, model_identity(resolved), events)
    done = store.kept(questions)
    preparation_seconds = time.monotonic() - began
    progress = Progress(events, total=len(questions), done=done, preparation_seconds=preparation_seconds)
    _answer([question for question in questions if question.id not in done], engine, spec, store, progress)
    rows = store.finish(questions, save_as)
    return progress.summary(rows)


def _answer(
    questions: list[Question], engine: Engine, spec: PredictSpec, store: PredictionStore, progress: Progress
) -> None:
    """Generates the missing answers; what is finished is kept, whatever happens."""
    batches = engine.generate(
        [question.prompt for question in questions],
        spec.sampling,
        batch_size=spec.batch_size,
        seeds=[spec.seed + question.id for question in questions],
    )
    try:
        for batch in batches:
            rows = [_prediction(questions[index], completion) for index, completion in batch]
            store.add(rows)
            progress.add(rows)
    except KeyboardInterrupt:
        raise progress.interrupted() from None
    finally:
        store.flush()


def _prediction(question: Question, completion: Completion) -> dict[str, Any]:
    """A row of `predictions.jsonl`. LLaMA-Factory's three keys come first."""
    return {
        "prompt": question.prompt.text,
        "predict": completion.text,
        "label": question.label,
        "id": question.id,
        "row": question.row,
        "prompt_sha256": question.prompt_sha256,
        "finish_reason": completion.finish_reason,
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": len(completion.token_ids),
        "meta": question.meta,
    } | ({"images": list(question.images)} if question.images else {})
