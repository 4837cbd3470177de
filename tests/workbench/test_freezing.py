"""What may be asked for in a browser: recipes as they are shipped, names instead of paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import UserError
from metier.recipes.recipe import load_recipe
from metier.workbench import layout
from tests.support.bench import PASSWORD, opened


def test_a_shipped_recipe_can_be_submitted(tmp_path: Path) -> None:
    work = load_recipe("medical", profile="demo").to_dict()
    with opened(tmp_path) as workbench:
        person = workbench.accounts.sign_up("li", PASSWORD)
        job = workbench.jobs.submit(person, "recipe", work)
        frozen = job.spec["work"]
    assert frozen["train"]["learning_rate"] == work["train"]["learning_rate"]
    assert frozen["report"] == work["report"]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("recipe", {"compare": {"base": "/etc/passwd"}}),
        ("recipe", {"evaluate": {"pred_file": "/etc/passwd"}}),
        ("recipe", {"report": {"manifest": "/etc/passwd"}}),
        ("recipe", {"train": {"template": "/etc/passwd.jinja"}}),
        ("recipe", {"template": "../../x.jinja"}),
        ("recipe", {"dataset_dir": "/etc"}),
        ("recipe", {"train": {"adapter_name_or_path": "/etc"}}),
        ("train", {"template": "/etc/passwd.jinja"}),
        ("train", {"model_name_or_path": "../../etc"}),
        ("predict", {"save_name": "../x.jsonl"}),
        ("evaluate", {"pred_file": "/etc/passwd"}),
    ],
)
def test_a_path_of_the_machine_is_refused(tmp_path: Path, kind: str, changes: dict[str, Any]) -> None:
    work: dict[str, Any] = {"name": "x", "data": {"train": "medical_demo_en"}} if kind == "recipe" else {}
    if kind in ("train", "predict"):
        work = {"model_name_or_path": "smollm2-135m", "dataset": "medical_demo_en"}
    with opened(tmp_path) as workbench:
        person = workbench.accounts.sign_up("li", PASSWORD)
        with pytest.raises(UserError):
            workbench.jobs.submit(person, kind, {**work, **changes})
        assert workbench.jobs.page(person).total == 0


def test_a_run_that_goes_on_from_another_has_the_model_below_both(tmp_path: Path) -> None:
    def trained(base: str, folder: str) -> str:
        work = {"model_name_or_path": base, "dataset": "medical_demo_en"}
        job = workbench.jobs.submit(person, "train", work)
        (workbench.jobs.folder_of(job) / layout.RUN / "steps" / "train" / folder).mkdir(parents=True)
        return f"run:{job.id}"

    def below(reference: str) -> tuple[str, str]:
        folder, base = workbench.artifacts.weights(person, reference)
        return folder.name, base

    with opened(tmp_path) as workbench:
        person = workbench.accounts.sign_up("li", PASSWORD)
        first = trained("smollm2-135m", "adapter")
        assert below(trained(first, "adapter")) == ("adapter", "smollm2-135m")
        whole = trained("smollm2-135m", "model")
        on_whole = trained(whole, "adapter")
        assert below(on_whole) == ("adapter", whole)
        work = {"model_name_or_path": on_whole, "dataset": "medical_demo_en"}
        frozen = workbench.jobs.submit(person, "predict", work).spec["work"]
        assert frozen["model_name_or_path"].endswith(f"{whole[4:]}/run/steps/train/model")
        assert frozen["adapter_name_or_path"].endswith(f"{on_whole[4:]}/run/steps/train/adapter")
