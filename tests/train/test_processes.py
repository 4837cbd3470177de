"""Several processes: the same losses as one, errors and interruptions told by the first process."""

from __future__ import annotations

import json
import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import ConfigError, InterruptedRunError
from metier.core.events import EVENTS, EventLog, read_events
from metier.train import TrainSpec, run_train
from tests.train.children import signal_at_step, start

pytestmark = pytest.mark.slow


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A small file of conversations of mixed length."""
    generator = random.Random(0)
    path = tmp_path / "rows.jsonl"
    with path.open("w", encoding="utf-8") as target:
        for _ in range(24):
            question, answer = "q" * generator.randint(1, 30), "a b" * generator.randint(1, 8)
            messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            target.write(json.dumps({"messages": messages}) + "\n")
    return path


def specs(model: Path, dataset: Path, processes: int, **values: Any) -> TrainSpec:
    defaults: dict[str, Any] = {
        "model_name_or_path": str(model),
        "dataset": str(dataset),
        "eval_dataset": str(dataset),
        "eval_steps": 3,
        "device": "cpu",
        "dtype": "float32",
        "learning_rate": 1e-2,
        "max_steps": 6,
        "num_processes": processes,
        "per_device_train_batch_size": 4 // processes,
        "tokens_per_batch": 100,
    }
    return TrainSpec(**{**defaults, **values})


def losses(spec: TrainSpec, folder: Path) -> list[float]:
    heard: list[dict[str, Any]] = []
    run_train(spec, folder, EventLog(folder / EVENTS, (heard.append,)))
    progress = [event for event in read_events(folder) if event["event"] == "progress"]
    assert heard[-1] == read_events(folder)[-1] and heard[-1]["outcome"] == "finished"
    assert [event["step"] for event in progress] == list(range(1, (spec.max_steps or 6) + 1))
    return [event[key] for event in progress for key in ("loss", "grad_norm", "eval_loss") if key in event]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"engine": "plain", "gradient_accumulation_steps": 2},
        {"fsdp": "on"},
        pytest.param({"fsdp": "on", "finetuning_type": "full"}, marks=pytest.mark.long),
    ],
    ids=["ddp, fused", "ddp, plain", "fsdp2, lora", "fsdp2, all weights"],
)
def test_two_processes_report_what_one_reports(
    tiny_model: Path, tmp_path: Path, dataset: Path, values: dict[str, Any]
) -> None:
    one = losses(specs(tiny_model, dataset, 1, **{**values, "fsdp": "auto"}), tmp_path / "one")
    two = losses(specs(tiny_model, dataset, 2, **values), tmp_path / "two")
    begun = read_events(tmp_path / "two")[0]
    assert begun["processes"] == 2 and begun["sharded"] is (values.get("fsdp") == "on")
    assert two == pytest.approx(one, abs=1e-4)


def test_processes_that_were_stopped_or_killed_go_on_where_they_were(
    tiny_model: Path, tmp_path: Path, dataset: Path
) -> None:
    chosen = specs(tiny_model, dataset, 2, save_steps=2, max_steps=24, lora_dropout=0.1)
    unbroken = losses(chosen, tmp_path / "unbroken")
    folder = tmp_path / "broken"

    def work() -> None:
        with pytest.raises(InterruptedRunError, match="The same command goes on"):
            run_train(chosen, folder, EventLog(folder / EVENTS))

    assert signal_at_step(start(work), folder, 2, signal.SIGINT, seconds=120) == 0
    assert losses(chosen, folder) == unbroken


def test_an_error_of_a_worker_is_raised_here(tiny_model: Path, tmp_path: Path, dataset: Path) -> None:
    with pytest.raises(ConfigError, match=r"no linear layer “q_prj”"):
        run_train(specs(tiny_model, dataset, 2, lora_target="q_prj"), tmp_path, EventLog(tmp_path / EVENTS))


def test_workers_stop_when_their_launcher_was_killed(tiny_model: Path, tmp_path: Path, dataset: Path) -> None:
    chosen = specs(tiny_model, dataset, 2, max_steps=100_000, logging_steps=1)
    child = start(lambda: run_train(chosen, tmp_path, EventLog(tmp_path / EVENTS)))
    signal_at_step(child, tmp_path, 2, signal.SIGKILL, seconds=120)
    log = tmp_path / EVENTS
    for _ in range(100):
        if '"outcome": "interrupted"' in log.read_text(encoding="utf-8"):
            return
        os.sched_yield()
        signal.sigtimedwait([], 0.3)
    raise AssertionError("the workers went on alone")
