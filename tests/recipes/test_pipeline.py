"""The whole way through a recipe on a tiny random model, as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from metier.cli.app import main

pytestmark = pytest.mark.slow


def rows(start: int, count: int) -> str:
    letters = "ABCDE"
    lines = []
    for number in range(start, start + count):
        letter = letters[number % 5]
        turns = [
            {"role": "user", "content": f"Case {number}: what fits?\nA. one\nB. two\nC. three\nD. four\nE. five"},
            {"role": "assistant", "content": f"Answer: {letter}"},
        ]
        lines.append(json.dumps({"messages": turns, "meta": {"answer": letter, "kind": "choice"}}))
    return "\n".join(lines) + "\n"


WORDS = (
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heath",
    "inlet",
    "jade",
    "kelp",
    "lotus",
    "maple",
)


@pytest.fixture
def recipe(tmp_path: Path, tiny_model: Path) -> Path:
    (tmp_path / "train.jsonl").write_text(rows(100, 24))
    (tmp_path / "test.jsonl").write_text(rows(9000, 10))
    values = {
        "name": "tiny",
        "model_name_or_path": str(tiny_model),
        "cutoff_len": 256,
        "data": {"train": str(tmp_path / "train.jsonl"), "test": str(tmp_path / "test.jsonl"), "guard": None},
        "train": {"lora_rank": 2, "learning_rate": 1e-2, "num_train_epochs": 1, "save_steps": 2},
        "predict": {"temperature": 0, "max_new_tokens": 8},
        "evaluate": {"bootstrap_samples": 100},
        "compare": {"bootstrap_samples": 100},
    }
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_a_recipe_ends_with_a_report_and_is_not_done_twice(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", str(recipe), "--run_dir", str(tmp_path / "run"), "--json"]
    assert main(command) == 0
    first = json.loads(capsys.readouterr().out)
    assert [step["step"] for step in first["steps"]][-2:] == ["compare", "report"]
    # A random model that saw six steps knows nothing: saying otherwise would be a lie.
    assert first["verdict"]["outcome"] in ("no_improvement", "worse")
    assert Path(first["report"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert main(command) == 0
    again = json.loads(capsys.readouterr().out)
    assert all(step["skipped"] for step in again["steps"])


def test_another_recipe_in_the_same_folder_is_refused(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "run")
    assert main(["run", str(recipe), "--run_dir", folder]) == 0
    assert main(["run", str(recipe), "--run_dir", folder, "--train.learning_rate", "0.5"]) == 2
    assert "train.learning_rate" in capsys.readouterr().err


def test_a_test_set_equal_to_the_training_set_is_refused(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = yaml.safe_load(recipe.read_text())
    values["data"]["test"] = values["data"]["train"]
    recipe.write_text(yaml.safe_dump(values))
    assert main(["run", str(recipe), "--run_dir", str(tmp_path / "run")]) == 2
    assert "train" in capsys.readouterr().err


def test_a_killed_run_goes_on_from_the_same_command(recipe: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "metier.cli", "run", str(recipe), "--run_dir", str(folder), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(folder.glob("steps/train/checkpoints/step-*")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    by_name = {step["step"]: step for step in done["steps"]}
    assert by_name["predict-base"]["skipped"]
    events = [json.loads(line) for line in (folder / "steps/train/events.jsonl").read_text().splitlines()]
    steps = [event["step"] for event in events if event["event"] == "progress"]
    assert sorted(set(steps)) == list(range(1, 7))


def test_without_a_test_set_rows_are_kept_away_from_training(recipe: Path, tmp_path: Path) -> None:
    values = yaml.safe_load(recipe.read_text())
    # Columns of the own set, and a guard set that has others.
    own = [{"问题": f"What is number {word} of {word * 2}?", "回答": f"It is {word}."} for word in WORDS]
    (tmp_path / "own.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in [*own, own[0], {"问题": "", "回答": "x"}])
    )
    values["data"] = {"train": str(tmp_path / "own.jsonl"), "test_rows": 6, "guard": "general_guard"}
    values |= {"columns": {"prompt": "问题", "response": "回答"}, "skip_bad_rows": True, "guard": {"max_samples": 4}}
    recipe.write_text(yaml.safe_dump(values))
    assert main(["run", str(recipe), "--run_dir", str(tmp_path / "run")]) == 0
    steps = tmp_path / "run" / "steps"
    test = [json.loads(line) for line in (steps / "split" / "test.jsonl").read_text().splitlines()]
    train = [json.loads(line) for line in (steps / "split" / "train.jsonl").read_text().splitlines()]
    assert (len(train), len(test)) == (len(own) + 1 - 6, 6)
    assert not {row["messages"][0]["content"] for row in test} & {row["messages"][0]["content"] for row in train}
    answers = [json.loads(line) for line in (steps / "predict-tuned" / "predictions.jsonl").read_text().splitlines()]
    assert [row["label"] for row in answers] == [row["messages"][1]["content"] for row in test]
    checked = json.loads((steps / "prepare" / "prepare.json").read_text())
    assert (checked["test_rows"], checked["leaks"]) == (6, [])
    assert main(["run", str(recipe), "--run_dir", str(tmp_path / "run")]) == 0
