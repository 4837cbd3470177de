"""Trackers get the curve; no key is ever written."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.train.support import material, random_rows, run, spec

KEY = "planted-key-5fb1c9d2"


def files_with(text: str, folder: Path) -> list[str]:
    found = subprocess.run(["grep", "-rl", text, str(folder)], capture_output=True, text=True, check=False)
    return found.stdout.split()


def test_tensorboard_reads_the_losses_that_events_tell(tiny_model: Path, tmp_path: Path) -> None:
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    chosen = spec(max_steps=3, report_to="tensorboard")
    _, progress = run(chosen, tmp_path, material(tiny_model, random_rows(8)))
    log = event_accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    log.Reload()
    assert [scalar.value for scalar in log.Scalars("train/loss")] == pytest.approx([e["loss"] for e in progress])


@pytest.mark.slow
def test_swanlab_records_offline_and_a_planted_key_is_found_nowhere(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("swanlab")
    monkeypatch.setenv("SWANLAB_API_KEY", KEY)
    monkeypatch.setenv("SWANLAB_MODE", "offline")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    chosen = spec(max_steps=3, report_to=["swanlab", "tensorboard"], run_name="offline")
    run(chosen, tmp_path / "run", material(tiny_model, random_rows(8)))
    (record,) = (tmp_path / "run" / "swanlab").rglob("*.swanlab")
    assert record.stat().st_size > 0
    assert b"train/loss" in record.read_bytes()
    assert files_with(KEY, tmp_path) == []
    printed = capfd.readouterr()
    assert printed.out == "" and KEY not in printed.err
