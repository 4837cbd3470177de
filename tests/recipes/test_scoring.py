"""A scored prediction on a tiny model: both models' answers, their scores, the comparison; and again after a stop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import UserError
from metier.workbench.accounts import Person
from metier.workbench.work import run_work
from metier.workbench.workbench import Workbench
from tests.recipes.test_pipeline import rows


def work(tmp_path: Path, tiny_model: Path, **more: Any) -> dict[str, Any]:
    (tmp_path / "test.jsonl").write_text(rows(0, 6))
    predict = {
        "model_name_or_path": str(tiny_model), "dataset": str(tmp_path / "test.jsonl"), "temperature": 0,
        "max_new_tokens": 4, "cutoff_len": 256,
    }  # fmt: skip
    return {"predict": predict, "evaluate": {"bootstrap_samples": 100}, **more}


@pytest.mark.slow
def test_a_stopped_comparison_goes_on_where_it_was(tmp_path: Path, tiny_model: Path) -> None:
    asked = work(tmp_path, tiny_model, base_model_name_or_path=str(tiny_model))
    folder = tmp_path / "job" / "run"

    def stop(event: dict[str, Any]) -> None:
        if event["event"] == "step" and event["name"] == "predict-tuned":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_work("score", asked, folder, (stop,))
    before = (folder / "steps/predict-base/done.json").read_bytes()
    names: list[str] = []
    summary = run_work("score", asked, folder, (lambda event: names.append(str(event.get("name"))),))
    assert (folder / "steps/predict-base/done.json").read_bytes() == before
    steps = ["predict-base", "predict-tuned", "evaluate-base", "evaluate-tuned", "compare", "report"]
    assert [one for one in names if one in steps] == steps
    assert summary["gain"]["difference"] == 0.0 and summary["verdict"]["outcome"] == "no_improvement"
    assert summary["rows"] == 6 and summary["metrics"]["choice_accuracy"]["scale"] == "0-1"
    compared = json.loads((folder / "steps/compare/compare.json").read_text())
    assert compared["metrics"]["choice_accuracy"]["n"] == 6


@pytest.mark.slow
def test_one_model_alone_is_scored(tmp_path: Path, tiny_model: Path) -> None:
    summary = run_work("score", work(tmp_path, tiny_model), tmp_path / "job" / "run", ())
    assert [one["step"] for one in summary["steps"]] == ["predict", "evaluate"] and "gain" not in summary


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("predict", "model_name_or_path", "/etc"),
        ("predict", "dataset", ""),
        ("predict", "save_name", "../x.jsonl"),
        ("predict", "top_p", 2),
        ("evaluate", "pred_file", "/etc/passwd"),
        ("evaluate", "output_metrics", "../x.json"),
        ("", "base_model_name_or_path", "/etc"),
        ("", "base_adapter_name_or_path", "/etc"),
        ("", "unheard_of", 1),
    ],
)
def test_what_a_browser_may_not_ask_for_is_refused(
    workbench: Workbench, owner: Person, section: str, key: str, value: Any
) -> None:
    asked: dict[str, Any] = {"predict": {"dataset": "medical_demo_en_test"}, "evaluate": {}}
    (asked[section] if section else asked)[key] = value
    with pytest.raises(UserError):
        workbench.jobs.submit(owner, "score", asked)
    assert workbench.jobs.page(owner).total == 0


@pytest.mark.slow
def test_answers_without_references_are_kept_and_not_scored(tmp_path: Path, tiny_model: Path) -> None:
    asked = work(tmp_path, tiny_model)
    (tmp_path / "test.jsonl").write_text('{"messages": [{"role": "user", "content": "Who?"}]}\n')
    summary = run_work("score", asked, tmp_path / "job" / "run", ())
    assert [one["step"] for one in summary["steps"]] == ["predict"] and summary["rows"] == 1
