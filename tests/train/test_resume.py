"""An interrupted training goes on as if nothing had happened."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import DivergedError, InterruptedRunError
from metier.core.events import read_events
from metier.core.files import sha256_file
from metier.train.checkpoints import checkpoint_folder, checkpoint_steps
from tests.train.children import signal_at_step, start
from tests.train.support import material, random_rows, run, spec

pytestmark = pytest.mark.slow

ADAPTER = "adapter/adapter_model.safetensors"


def curve(progress: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    keys = ("step", "loss", "learning_rate", "grad_norm", "eval_loss", "epoch")
    return [tuple(event.get(key) for key in keys) for event in progress]


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(
            {"lora_dropout": 0.2, "gradient_accumulation_steps": 2, "eval_dataset": "x", "eval_steps": 3},
            id="dropout, accumulation, evaluation",
        ),
        pytest.param(
            {"engine": "fused", "logging_steps": 3, "max_steps": 9}, id="fused, sparse reports", marks=pytest.mark.slow
        ),
        pytest.param({"finetuning_type": "full", "learning_rate": 1e-3}, id="all weights", marks=pytest.mark.slow),
    ],
)
def test_kill_9_anywhere_leaves_the_very_same_curve_and_weights(
    tiny_model: Path, tmp_path: Path, values: dict[str, Any]
) -> None:
    given = material(tiny_model, random_rows(30), random_rows(5, seed=9))
    chosen = spec(per_device_train_batch_size=2, save_steps=4, num_train_epochs=1, **values)
    unbroken = run(chosen, tmp_path / "unbroken", given)
    broken = tmp_path / "broken"
    for step in (3, 6):
        child = start(lambda: run(chosen, broken, given))
        assert signal_at_step(child, broken, step, signal.SIGKILL) == -signal.SIGKILL
    summary, progress = run(chosen, broken, given)
    assert curve(progress) == curve(unbroken[1])
    weights = ADAPTER if summary["output"] == "adapter" else "model/model.safetensors"
    assert sha256_file(broken / weights) == sha256_file(tmp_path / "unbroken" / weights)
    assert summary["train_tokens"] == unbroken[0]["train_tokens"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_finishes_the_step_saves_and_says_how_to_go_on(
    tiny_model: Path, tmp_path: Path, number: signal.Signals
) -> None:
    given = material(tiny_model, random_rows(30))
    chosen = spec(per_device_train_batch_size=2, save_steps=1000)
    unbroken = run(chosen, tmp_path / "unbroken", given)

    def work() -> None:
        with pytest.raises(InterruptedRunError, match="The same command goes on"):
            run(chosen, tmp_path / "broken", given)

    assert signal_at_step(start(work), tmp_path / "broken", 3, number) == 0
    (saved,) = checkpoint_steps(tmp_path / "broken")
    assert 3 <= saved < unbroken[0]["steps"]
    assert read_events(tmp_path / "broken")[-1]["outcome"] == "interrupted"
    assert curve(run(chosen, tmp_path / "broken", given)[1]) == curve(unbroken[1])
    assert sha256_file(tmp_path / "broken" / ADAPTER) == sha256_file(tmp_path / "unbroken" / ADAPTER)


def test_a_flipped_byte_falls_back_to_the_older_checkpoint_with_a_warning(tiny_model: Path, tmp_path: Path) -> None:
    given = material(tiny_model, random_rows(16))
    chosen = spec(save_steps=3, save_total_limit=4)
    unbroken = run(chosen, tmp_path, given)
    damaged = checkpoint_folder(tmp_path, checkpoint_steps(tmp_path)[-1]) / "optimizer.safetensors"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    summary, progress = run(chosen, tmp_path, given)
    (warning,) = [event for event in read_events(tmp_path) if event["event"] == "warning"]
    assert "damaged" in warning["message"] and "going on from an older one" in warning["message"]
    assert curve(progress) == curve(unbroken[1])
    assert summary["final_loss"] == unbroken[0]["final_loss"]


def test_what_a_kill_left_half_written_is_ignored_and_removed(tiny_model: Path, tmp_path: Path) -> None:
    half = tmp_path / "checkpoints" / ".step-000099.abcd.tmp"
    half.mkdir(parents=True)
    (half / "state.json").write_text("{}")
    run(spec(max_steps=2), tmp_path, material(tiny_model, random_rows(8)))
    assert not half.exists()


def test_a_training_that_ended_is_not_trained_again(tiny_model: Path, tmp_path: Path) -> None:
    given = material(tiny_model, random_rows(10))
    chosen = spec(max_steps=4)
    first, _ = run(chosen, tmp_path, given)
    weights = sha256_file(tmp_path / ADAPTER)
    (tmp_path / ADAPTER).unlink()
    again, progress = run(chosen, tmp_path, given)
    assert [event["step"] for event in progress] == [1, 2, 3, 4]
    assert sha256_file(tmp_path / ADAPTER) == weights
    assert {**again, "seconds": 0} == {**first, "seconds": 0}


def test_other_data_never_goes_on_from_an_old_checkpoint(tiny_model: Path, tmp_path: Path) -> None:
    chosen = spec(max_steps=3)
    run(chosen, tmp_path, material(tiny_model, random_rows(8)))
    run(chosen, tmp_path, material(tiny_model, random_rows(8, seed=5)))
    warnings = [event["message"] for event in read_events(tmp_path) if event["event"] == "warning"]
    assert any("belongs to another training" in message for message in warnings)


def test_a_checkpoint_holds_no_pickle_and_opens_as_an_adapter(tiny_model: Path, tmp_path: Path) -> None:
    from metier.models import load_model, resolve_model

    run(spec(max_steps=3), tmp_path, material(tiny_model, random_rows(8)))
    folder = checkpoint_folder(tmp_path, 3)
    assert {path.suffix for path in folder.iterdir()} == {".json", ".safetensors"}
    for opened in (folder, tmp_path / "adapter"):
        assert load_model(resolve_model(str(tiny_model), str(opened))).peft_config["default"].r == 4
    assert json.loads((folder / "state.json").read_text())["finished"] is True


def test_a_loss_that_is_not_a_number_stops_and_keeps_the_last_good_checkpoint(tiny_model: Path, tmp_path: Path) -> None:
    given = material(tiny_model, random_rows(12))
    chosen = spec(finetuning_type="full", learning_rate=1.0, adam_epsilon=1e-30, save_steps=1, max_grad_norm=0)
    with pytest.raises(DivergedError) as caught:
        run(chosen.model_copy(update={"learning_rate": 1e30}), tmp_path, given)
    assert caught.value.exit_code == 4
    assert "Lower learning_rate" in str(caught.value) and "step 2" in str(caught.value)
    assert checkpoint_steps(tmp_path) == [1]
