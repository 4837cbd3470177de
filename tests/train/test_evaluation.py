"""Evaluation while training: its loss, stopping early, keeping the best; and what ends in the folder."""

from __future__ import annotations

import resource
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from metier.core.errors import ConfigError, DataError, RunError
from metier.core.events import EventLog, read_events
from metier.train.checkpoints import checkpoint_steps
from metier.train.examples import check_examples
from metier.train.model import build_model, choose_machine
from tests.train import reference
from tests.train.children import start, wait
from tests.train.support import Row, material, random_rows, run, spec

pytestmark = pytest.mark.slow


def overfitting(model: Path) -> Any:
    """Few rows to train on, others to evaluate: the evaluation loss soon rises."""
    return material(model, random_rows(4), random_rows(12, seed=3))


def test_the_evaluation_loss_is_that_of_the_reference(tiny_model: Path, tmp_path: Path) -> None:
    chosen = spec(max_steps=1, eval_dataset="x", eval_steps=1, learning_rate=1e-9)
    given = material(tiny_model, random_rows(4), random_rows(9, seed=3))
    model = build_model(chosen, given.resolved, choose_machine(chosen, given.resolved))
    with torch.no_grad():
        sums = [reference.row_loss(model, row) for row in given.evaluation]
    wanted = sum(float(loss) for loss, _ in sums) / sum(count for _, count in sums)
    summary, (event,) = run(chosen, tmp_path, given)
    assert summary["eval_loss"] == event["eval_loss"] == pytest.approx(wanted, abs=1e-5)


def test_training_stops_early_and_hands_over_the_best_weights(tiny_model: Path, tmp_path: Path) -> None:
    chosen = spec(
        max_steps=60, learning_rate=0.05, eval_dataset="x", eval_steps=2, early_stopping_patience=2, load_best=True
    )
    summary, _ = run(chosen, tmp_path, overfitting(tiny_model))
    best = summary["best_step"]
    assert summary["steps"] == best + 4 < 60
    assert best in checkpoint_steps(tmp_path)
    kept = (tmp_path / "checkpoints" / f"step-{best:06d}" / "adapter_model.safetensors").read_bytes()
    assert (tmp_path / "adapter" / "adapter_model.safetensors").read_bytes() == kept
    again, _ = run(chosen, tmp_path, overfitting(tiny_model))
    assert again["steps"] == summary["steps"] and again["best_step"] == best


def test_old_checkpoints_go_but_for_the_newest_and_the_best(tiny_model: Path, tmp_path: Path) -> None:
    run(spec(max_steps=7, save_steps=2, save_total_limit=2), tmp_path, material(tiny_model, random_rows(4)))
    assert checkpoint_steps(tmp_path) == [6, 7]


def test_progress_tells_what_a_face_needs(tiny_model: Path, tmp_path: Path) -> None:
    run(spec(max_steps=3), tmp_path, material(tiny_model, random_rows(8)))
    events = read_events(tmp_path)
    assert [event["event"] for event in events] == ["start", "progress", "progress", "progress", "end"]
    assert events[0]["total"] == 3 and events[-1]["outcome"] == "finished"
    keys = {"step", "total", "epoch", "loss", "learning_rate", "grad_norm", "tokens_per_second", "eta_seconds"}
    assert keys | {"memory_bytes"} <= events[1].keys()


def test_an_adapter_can_be_trained_on(tiny_model: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from metier.models import resolve_model

    given = material(tiny_model, random_rows(8))
    run(spec(max_steps=6), tmp_path / "first", given)
    adapter = str(tmp_path / "first" / "adapter")
    more = replace(given, resolved=resolve_model(str(tiny_model), adapter))
    _, progress = run(spec(max_steps=1, adapter_name_or_path=adapter), tmp_path / "second", more)
    assert progress[0]["loss"] < run(spec(max_steps=1), tmp_path / "third", given)[1][0]["loss"]


def test_a_target_that_the_model_does_not_have_is_refused_with_those_it_has(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"q_prj.*q_proj"):
        run(spec(lora_target="q_prj"), tmp_path, material(tiny_model, random_rows(4)))


def test_a_cut_answer_is_refused_by_row_unless_allowed() -> None:
    rows = [*random_rows(2), Row(7, [5, 6], [-100, 6], truncated=3, answer_truncated=True)]
    with pytest.raises(DataError, match=r"rows 7.*allow_truncated_answers"):
        check_examples(rows, "set", spec(), EventLog(None))
    heard: list[dict[str, Any]] = []
    log = EventLog(None, (heard.append,))
    assert len(check_examples(rows, "set", spec(allow_truncated_answers=True), log)) == 3
    assert "answers cut and trained on as they are: 1" in heard[0]["message"]


def test_a_set_without_answers_is_refused() -> None:
    with pytest.raises(DataError, match="none of its 1 rows"):
        check_examples([Row(1, [5, 6], [-100, -100])], "set", spec(), EventLog(None))


def test_a_full_disk_is_told_in_one_line_and_leaves_earlier_checkpoints_whole(tiny_model: Path, tmp_path: Path) -> None:
    """A limit on the size of files makes the kernel refuse a write, as a full disk does."""
    given = material(tiny_model, random_rows(8))
    chosen = spec(max_steps=4, save_steps=1, save_total_limit=9)

    def no_room_after_two_steps(event: dict[str, Any]) -> None:
        if event.get("step") == 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with pytest.raises(RunError, match="The disk is full") as caught:
            run(chosen, tmp_path, given, no_room_after_two_steps)
        assert "\n" not in str(caught.value)

    assert wait(start(work)) == 0
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step-000001", "step-000002"]
    assert run(chosen, tmp_path, given)[0]["steps"] == 4
