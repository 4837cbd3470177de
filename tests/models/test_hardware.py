"""The number format follows what the processor has."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from metier.models import doctor, hardware
from metier.models.hardware import Hardware, choose_dtype


def _machine(*flags: str) -> Hardware:
    return Hardware(cpus=2, memory=8 << 30, cpu_name="x", cpu_flags=frozenset(flags), gpus=(), metal=False)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [(("avx2",), "float32"), (("avx512f",), "float32"), (("avx512_bf16",), "bfloat16"), (("amx_bf16",), "bfloat16")],
)
def test_bfloat16_only_where_the_processor_has_it(
    flags: tuple[str, ...], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["metier.models.hardware"], "hardware", lambda: _machine(*flags))
    assert choose_dtype("cpu") == expected


def test_this_machine_is_seen() -> None:
    machine = hardware()
    assert machine.cpus >= 1
    assert machine.memory > 1 << 30


def test_gpus_are_listed_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '0, NVIDIA H100 80GB HBM3, 81559'\necho '1, NVIDIA H100 80GB HBM3, 81559'\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    hardware.cache_clear()
    try:
        (gpu,) = hardware().gpus
        assert gpu.memory == 81559 << 20
    finally:
        hardware.cache_clear()


def test_the_doctor_names_what_is_missing_and_the_next_step() -> None:
    findings = {finding.title: finding for finding in doctor()}
    assert findings["torch"].level == "ok"
    assert findings["Default model"].level == "warn"
    assert "metier model add smollm2-135m" in (findings["Default model"].next_step or "")
    assert all(finding.next_step for finding in findings.values() if finding.level != "ok")


def test_the_doctor_speaks_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METIER_LANGUAGE", "zh")
    assert "处理器" in {finding.title for finding in doctor()}
