from __future__ import annotations

import json
from pathlib import Path

import pytest

from metier.core.errors import DataError, RunError
from metier.core.events import EventLog
from metier.report import ReportSpec, run_report
from metier.report.scores import maximum
from tests.report.conftest import Made, Report


def test_a_run_folder_is_enough(whole: Made) -> None:
    assert whole.summary["missing"] == []
    assert whole.data["schema"] == "metier.report"
    assert whole.data["schema_version"] == 1
    assert len(whole.data["metrics"]) == 8


def test_the_same_files_one_by_one_give_the_same_figures(report: Report, made_run: Path, whole: Made) -> None:
    steps = made_run / "steps"
    made = report(
        manifest=made_run / "manifest.json",
        prepare=steps / "prepare/prepare.json",
        train=steps / "train",
        compare=steps / "compare/compare.json",
        metrics_base=steps / "evaluate-base/metrics.json",
        metrics_tuned=steps / "evaluate-tuned/metrics.json",
    )
    assert made.data["missing"] == ["preview"]
    for part in ("metrics", "guard", "checks", "training", "rows", "provenance"):
        assert made.data[part] == whole.data[part], part


def test_a_report_in_a_run_also_stands_at_the_top_of_the_run(run: Path) -> None:
    run_report(ReportSpec(run=run), run / "steps/report", EventLog(None))
    assert (run / "report.html").read_bytes() == (run / "steps/report/report.html").read_bytes()
    assert (run / "report.json").is_file()


def test_a_report_beside_a_run_leaves_the_run_alone(run: Path, report: Report) -> None:
    report(run=run)
    assert not (run / "report.html").exists()


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"prepare: there is no .*prepare\.json"):
        run_report(ReportSpec(prepare=tmp_path / "prepare.json"), tmp_path, EventLog(None))


def test_a_run_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="There is no run folder"):
        run_report(ReportSpec(run=tmp_path / "none"), tmp_path, EventLog(None))


@pytest.mark.parametrize("content", ["{", "[1, 2]", "\x00", '"text"', "[" * 100_000])
def test_a_broken_file_is_named_and_nothing_is_written(tmp_path: Path, content: str) -> None:
    broken = tmp_path / "compare.json"
    broken.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"compare\.json cannot be read"):
        run_report(ReportSpec(compare=broken), tmp_path / "report", EventLog(None))
    assert not (tmp_path / "report").exists()


def test_the_step_tells_its_events(run: Path, tmp_path: Path) -> None:
    (run / "steps/prepare/preview.json").unlink()
    heard: list[dict[str, object]] = []
    run_report(ReportSpec(run=run), tmp_path / "report", EventLog(None, (heard.append,)))
    assert [event["event"] for event in heard] == ["start", "log", "progress", "end"]
    assert "preview" in str(heard[1]["message"])


def test_the_headline_is_the_score_that_is_easiest_to_read(whole: Made) -> None:
    assert whole.data["metrics"][0]["name"] == "choice_accuracy"


def test_the_headline_can_be_chosen(report: Report, made_run: Path) -> None:
    assert report(run=made_run, headline_metric="rougel").data["metrics"][0]["name"] == "rougel"


@pytest.mark.parametrize(
    ("scale", "values", "expected"),
    [("0-1", [0.5], 1), ("0–100", [0.5], 100), (100, [3], 100), ([0, 1], [], 1), (None, [0.7], 1), (None, [38], 100)],
)
def test_the_scale_is_read_or_guessed(scale: object, values: list[float], expected: float) -> None:
    assert maximum(scale, values) == expected


def test_nothing_of_torch_is_imported(made_run: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from metier.core.events import EventLog; import metier.report as r; "
        f"assert 'jinja2' not in sys.modules; r.run_report(r.ReportSpec(run=Path({str(made_run)!r})), "
        f"Path({str(tmp_path)!r}), EventLog(None)); assert not {{'torch', 'transformers'}} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_predict_keys_stand_side_by_side(whole: Made) -> None:
    assert whole.data["predict_keys"][0] == {"name": "predict_bleu-4", "base": 4.12, "tuned": 38.67}
    assert json.dumps(whole.data["predict_keys"])
