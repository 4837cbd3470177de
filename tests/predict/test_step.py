"""The predict step in a folder: whole, in order, resumed, nothing twice."""

from __future__ import annotations

import base64
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import ConfigError, DataError, InterruptedRunError, RunError
from metier.core.events import EventLog, read_events
from metier.core.files import read_jsonl
from metier.engines.hf import HFEngine
from metier.predict import PredictSpec, run_predict
from tests.data.writing import PNG

CHILD = """
import sys
from pathlib import Path
from metier.core.events import EventLog
from metier.predict import PredictSpec, run_predict, store
import torch
torch.set_num_threads(1)
store._FLUSH_SECONDS = 0.0
spec = PredictSpec.model_validate_json(sys.argv[1])
run_predict(spec, Path(sys.argv[2]), EventLog(Path(sys.argv[2]) / "events.jsonl"))
"""


@pytest.fixture
def spec(tiny_model: Path, questions: Path) -> PredictSpec:
    return PredictSpec(model_name_or_path=str(tiny_model), dataset=str(questions), max_new_tokens=12, temperature=0.9)


def run(spec: PredictSpec, folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    summary = run_predict(spec, folder, EventLog(folder / "events.jsonl"))
    return summary, read_jsonl(folder / "predictions.jsonl")


def warnings(folder: Path) -> list[str]:
    return [event["message"] for event in read_events(folder) if event["event"] == "warning"]


def test_rows_are_in_order_and_begin_as_llama_factory_writes_them(spec: PredictSpec, tmp_path: Path) -> None:
    _, rows = run(spec, tmp_path / "step")
    assert [row["id"] for row in rows] == list(range(10))
    assert list(rows[0])[:3] == ["prompt", "predict", "label"]
    assert rows[3]["label"] == "Answer 3"
    assert "Question 3: why why why" in rows[3]["prompt"]
    assert rows[3]["row"] == 4


def test_summary_counts_and_has_llama_factorys_keys(spec: PredictSpec, tmp_path: Path) -> None:
    summary, rows = run(spec, tmp_path / "step")
    assert summary["rows"] == 10
    assert summary["completion_tokens"] == sum(row["completion_tokens"] for row in rows)
    assert sum(summary["finish_reasons"].values()) == 10
    for key in ("model_preparation_time", "runtime", "samples_per_second", "steps_per_second"):
        assert summary[f"predict_{key}"] > 0


def test_progress_reaches_the_end(spec: PredictSpec, tmp_path: Path) -> None:
    run(spec, tmp_path / "step")
    events = read_events(tmp_path / "step")
    last = [event for event in events if event["event"] == "progress"][-1]
    assert (last["step"], last["total"], last["eta_seconds"]) == (10, 10, 0)
    assert (events[0]["event"], events[-1]["event"]) == ("start", "end")


def test_save_name_gets_the_same_file_besides(spec: PredictSpec, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "mine.jsonl"
    run(spec.model_copy(update={"save_name": str(other)}), tmp_path / "step")
    assert other.read_bytes() == (tmp_path / "step" / "predictions.jsonl").read_bytes()


def test_half_done_step_goes_on_to_the_very_same_file(spec: PredictSpec, tmp_path: Path) -> None:
    _, whole = run(spec, tmp_path / "whole")
    run(spec, tmp_path / "half")
    file = tmp_path / "half" / "predictions.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([lines[7], lines[2], lines[7], lines[4][:20]]))  # out of order, one twice, one torn
    summary, rows = run(spec, tmp_path / "half")
    assert rows == whole
    assert summary["resumed_rows"] == 2


def test_finished_step_is_not_answered_again(
    spec: PredictSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, rows = run(spec, tmp_path / "step")
    monkeypatch.setattr(HFEngine, "_decoder", lambda *_: pytest.fail("nothing is left to answer"))
    assert run(spec, tmp_path / "step")[1] == rows


def test_changed_prompt_is_answered_anew_and_said(spec: PredictSpec, questions: Path, tmp_path: Path) -> None:
    _, before = run(spec, tmp_path / "step")
    questions.write_text(questions.read_text().replace("Question 5", "Quiz 5"), encoding="utf-8")
    summary, after = run(spec, tmp_path / "step")
    assert summary["resumed_rows"] == 9
    assert "Quiz 5" in after[5]["prompt"]
    assert after[:5] + after[6:] == before[:5] + before[6:]
    assert "1 earlier answers belong to prompts that have changed" in warnings(tmp_path / "step")[0]


def test_other_settings_begin_anew_and_name_what_changed(spec: PredictSpec, tmp_path: Path) -> None:
    run(spec, tmp_path / "step")
    summary, _ = run(spec.model_copy(update={"temperature": 0.5}), tmp_path / "step")
    assert summary["resumed_rows"] == 0
    assert "(temperature)" in warnings(tmp_path / "step")[0]


def test_ctrl_c_keeps_what_is_there_and_says_how_to_go_on(
    spec: PredictSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate = HFEngine.generate

    def interrupted(self: HFEngine, *given: Any, **named: Any) -> Any:
        yield next(iter(generate(self, *given, **named)))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(HFEngine, "generate", interrupted)
        with pytest.raises(InterruptedRunError, match=r"Stopped after \d+ of 10.*goes on from there"):
            run(spec.model_copy(update={"batch_size": 2}), tmp_path / "step")
    kept = len(read_jsonl(tmp_path / "step" / "predictions.jsonl"))
    assert 0 < kept < 10
    assert run(spec, tmp_path / "step")[0]["resumed_rows"] == kept


def test_full_disk_keeps_what_was_written_and_is_named(
    spec: PredictSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("metier.predict.store.append_jsonl", full)
        with pytest.raises(RunError, match=r"predictions.jsonl cannot be written \(No space left on device\)"):
            run(spec, tmp_path / "step")
    assert run(spec, tmp_path / "step")[0]["rows"] == 10


@pytest.mark.slow
def test_killed_run_loses_and_repeats_nothing(spec: PredictSpec, tmp_path: Path) -> None:
    slow = spec.model_copy(update={"max_new_tokens": 400, "batch_size": 1})
    _, whole = run(slow, tmp_path / "whole")  # of the same batches: a random model's ties fall otherwise in others
    folder, file = tmp_path / "killed", tmp_path / "killed" / "predictions.jsonl"
    command = [sys.executable, "-c", CHILD, slow.model_dump_json(), str(folder)]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    deadline = time.monotonic() + 120
    while len(read_jsonl(file)) < 2 and time.monotonic() < deadline and child.poll() is None:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    acknowledged = read_jsonl(file)
    assert 2 <= len(acknowledged) < 10
    summary, rows = run(slow, folder)
    assert summary["resumed_rows"] == len(acknowledged)
    assert [row["predict"] for row in rows] == [row["predict"] for row in whole]


def test_a_row_the_template_does_not_take_is_named(spec: PredictSpec, questions: Path, tmp_path: Path) -> None:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(PNG).decode()}"}}
    row = {"messages": [{"role": "user", "content": [picture]}, {"role": "assistant", "content": "a cat"}]}
    questions.write_text(questions.read_text() + json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="Row 11"):
        run(spec, tmp_path / "step")


def test_long_prompts_are_shortened_and_named(spec: PredictSpec, tmp_path: Path) -> None:
    run(spec.model_copy(update={"cutoff_len": 90}), tmp_path / "step")
    (text,) = warnings(tmp_path / "step")
    assert "cutoff_len 90" in text


def test_server_settings_are_refused_by_hf(spec: PredictSpec, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs a server engine"):
        run(spec.model_copy(update={"vllm_config": {"tensor_parallel_size": 4}}), tmp_path / "step")


def test_folder_as_save_name_is_refused_before_any_work(spec: PredictSpec, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder"):
        run(spec.model_copy(update={"save_name": str(tmp_path)}), tmp_path / "step")
    assert not (tmp_path / "step" / "events.jsonl").exists()


def test_dataset_must_be_named(spec: PredictSpec, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No dataset is named"):
        run(spec.model_copy(update={"dataset": ""}), tmp_path / "step")
