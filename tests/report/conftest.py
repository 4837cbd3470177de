"""A made run and the report of it, written once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from metier.core.events import EventLog
from metier.report import ReportSpec, run_report
from tests.report.made_run import make_run


@dataclass(frozen=True)
class Made:
    """A written report. data: report.json; html: report.html; summary: what the step returned."""

    folder: Path
    data: dict[str, Any]
    html: str
    summary: dict[str, Any]


Report = Callable[..., Made]


def make_report(folder: Path, **values: Any) -> Made:
    """Runs the step with these values of its spec."""
    summary = run_report(ReportSpec(**values), folder, EventLog(None))
    data = json.loads((folder / "report.json").read_text(encoding="utf-8"), parse_constant=_refuse)
    return Made(folder, data, (folder / "report.html").read_text(encoding="utf-8"), summary)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


@pytest.fixture(scope="session")
def made_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run folder; not to be changed."""
    return make_run(tmp_path_factory.mktemp("made") / "run")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A whole run folder of the test's own."""
    return make_run(tmp_path / "run")


@pytest.fixture(scope="session")
def whole(made_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The report of the whole run."""
    return make_report(tmp_path_factory.mktemp("whole"), run=made_run, title="Medical", title_zh="医学")


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Makes a report into the test's folder."""
    return lambda **values: make_report(tmp_path / "report", **values)
