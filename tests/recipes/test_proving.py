"""A recipe may end with the proof of its specialist; the shared machine does not take such a one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import ConfigError, DataError
from metier.evaluate.proof import ProofSpec
from metier.evaluate.proof.sources import LocalSources
from metier.knowledge.library import Library
from metier.recipes.pipeline import _Identities, _proof, recipe_steps
from metier.recipes.recipe import load_recipe, owners
from metier.runs import RunFolder
from metier.workbench.freezing import Freezer


def test_a_recipe_without_a_specialist_proves_none_and_keeps_its_plain_flags() -> None:
    assert load_recipe("medical").step("prove").specialist == ""
    assert owners("title") == ["report"]
    assert owners("judge_votes") == ["prove"]
    proven = load_recipe("medical", overrides={"prove.specialist": "medical", "judge_votes": 5})
    spec: ProofSpec = proven.step("prove")
    assert (spec.specialist, spec.judge_votes, spec.model_name_or_path) == ("medical", 5, "smollm2-135m")


def test_what_was_trained_is_the_tuned_side(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text('{"question": "x"}', encoding="utf-8")
    (tmp_path / "one.yaml").write_text("name: one\n", encoding="utf-8")
    spec = ProofSpec(specialist=str(tmp_path / "one.yaml"), questions=tmp_path / "q.jsonl")
    step = _proof(spec, tmp_path / "adapter")
    assert step.spec.adapter_name_or_path == str(tmp_path / "adapter")  # type: ignore[attr-defined]
    assert step.inputs["trained"] == tmp_path / "adapter" / "manifest.json"


def test_the_legal_recipe_ends_with_a_proof_that_is_small_in_the_demo() -> None:
    small: ProofSpec = load_recipe("legal").step("prove")
    whole: ProofSpec = load_recipe("legal", profile="single-gpu").step("prove")
    assert (small.specialist, small.max_samples, small.judge_votes) == ("legal", 3, 1)
    assert (whole.max_samples, whole.judge_votes, whole.judge_model_name_or_path) == (None, 3, "qwen3-8b")


@pytest.mark.parametrize(("name", "proven"), [("legal", "legal"), ("medical", "")])
def test_the_report_of_a_run_names_the_specialist_that_the_run_proves(tmp_path: Path, name: str, proven: str) -> None:
    recipe = load_recipe(name)
    steps = recipe_steps(recipe, RunFolder(tmp_path), _Identities({}, "", "", None), "", recipe.data)
    report = next(step for step in steps if step.name == "report")
    assert report.spec.proven_specialist == proven  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "change", [{"questions": "/etc/passwd"}, {"judge_address": "http://127.0.0.1/v1"}, {"rubric": "/etc/one.yaml"}]
)
def test_the_workbench_takes_the_legal_recipe_with_shipped_names_only(change: dict[str, str]) -> None:
    values: dict[str, Any] = {**load_recipe("legal").to_dict(), "specialist": ""}
    freezer = Freezer(None, None, None, None)  # type: ignore[arg-type]
    assert freezer.freeze(None, "recipe", values, None)["prove"]["specialist"] == "legal"  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=f"prove.{next(iter(change))}"):
        freezer.freeze(None, "recipe", {**values, "prove": {**values["prove"], **change}}, None)  # type: ignore[arg-type]


def test_the_workbench_takes_no_recipe_that_would_read_this_machines_files() -> None:
    values: dict[str, Any] = load_recipe("medical", overrides={"prove.specialist": "/etc/one.yaml"}).to_dict()
    with pytest.raises(ConfigError, match=r"prove\.specialist"):
        Freezer(None, None, None, None).freeze(None, "recipe", values, None)  # type: ignore[arg-type]


def test_a_specialist_is_proven_on_the_bases_that_there_are(tmp_path: Path) -> None:
    sources = LocalSources(tmp_path)
    with pytest.raises(DataError):
        sources.contents(("own", "samples"))
    Library(tmp_path / "knowledge").create("local", "samples")
    assert sources.contents(("own", "samples")) == {"samples": []}
