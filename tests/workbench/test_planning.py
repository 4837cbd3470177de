"""Estimates before a start, forms from specs, and the one job of a form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import UserError
from metier.core.fields import fields_of
from metier.recipes.recipe import SECTIONS, load_recipe, parse_recipe
from metier.workbench.accounts import Person
from metier.workbench.drafts import brief
from metier.workbench.forms import form_of
from metier.workbench.store.tables import Lease
from metier.workbench.workbench import Workbench
from tests.faults.children import give_data, give_model, training
from tests.support.bench import PASSWORD, member, opened

pytestmark = pytest.mark.slow


@pytest.fixture
def ready(workbench: Workbench, owner: Person, tiny_model: Path) -> Iterator[Person]:
    """An owner with a set of 40 rows and the tiny model."""
    give_model(tiny_model)
    give_data(workbench, owner)
    yield owner


@pytest.mark.slow
def test_rows_tokens_cuts_steps_and_minutes_are_known_before_the_start(workbench: Workbench, ready: Person) -> None:
    found = workbench.planner.estimate(ready, "train", training(cutoff_len=512))
    assert (found["rows"], found["steps"], found["cut_rows"], found["sampled"]) == (40, 240, 0, False)
    assert found["counted"]
    assert found["tokens"] > found["answer_tokens"] > 40
    assert 0 < found["train_minutes"][0] < found["train_minutes"][1]
    assert found["minutes"] == found["train_minutes"]
    assert 0 < found["memory"] <= found["available"]
    learnt = "".join(one["text"] for one in found["example"] if one["loss"])
    assert "It is number 0." in learnt
    assert "Case 0" not in learnt
    short = workbench.planner.estimate(ready, "train", training(cutoff_len=24, allow_truncated_answers=True))
    assert short["cut_rows"] == 40
    recipe = {"name": "x", "model_name_or_path": "tiny", "data": {"train": "cases", "test_rows": 8, "guard": None}}
    whole = workbench.planner.estimate(ready, "recipe", recipe)
    assert (whole["rows"], whole["test_rows"]) == (32, 8)
    assert whole["minutes"][1] > whole["train_minutes"][1]
    answers = {"predict": {"model_name_or_path": "tiny", "dataset": "cases", "max_samples": 10, "max_new_tokens": 16}}
    asked = workbench.planner.estimate(ready, "score", answers)
    assert asked["steps"] is None
    assert asked["fits"] and asked["memory"] < whole["memory"]
    assert 0 < asked["minutes"][0] < asked["minutes"][1] < whole["minutes"][1] * 10
    light = workbench.planner.estimate(ready, "prepare", {"dataset": "cases", "model_name_or_path": "tiny"})
    assert light["device"] is False


@pytest.mark.slow
def test_the_estimating_process_is_started_again_after_a_kill_and_ends_with_the_server(
    workbench: Workbench, ready: Person
) -> None:
    planner = workbench.planner
    planner.estimate(ready, "train", training())
    child = planner._child
    assert child is not None
    child.kill()
    child.wait()
    assert planner.estimate(ready, "train", training(seed=1))["rows"] == 40
    again = planner._child
    assert again is not None
    planner.close()
    assert again.poll() is not None


def test_an_estimate_for_anothers_set_is_refused(workbench: Workbench, ready: Person) -> None:
    other = member(workbench, ready, "wang")
    with pytest.raises(UserError, match="no dataset"):
        workbench.planner.estimate(other, "train", training())


def test_a_form_is_one_job_however_often_it_is_sent(workbench: Workbench, ready: Person) -> None:
    first = workbench.jobs.submit(ready, "train", training(), key="form-1")
    again = workbench.jobs.submit(ready, "train", training(), key="form-1")
    other = workbench.jobs.submit(ready, "train", training(), key="form-2")
    assert first.id == again.id != other.id
    assert workbench.jobs.page(ready).total == 2
    stranger = member(workbench, ready, "wang")
    give_data(workbench, stranger)
    assert workbench.jobs.submit(stranger, "train", training(), key="form-1").id != first.id


def test_devices_may_be_named_and_a_job_waits_for_those(tmp_path: Path, tiny_model: Path) -> None:
    with opened(tmp_path / "two", devices=("cuda:0", "cuda:1")) as bench:
        person = bench.accounts.sign_up("li", PASSWORD)
        give_model(tiny_model)
        give_data(bench, person)
        with pytest.raises(UserError, match="cuda:7"):
            bench.jobs.submit(person, "train", training(), devices=["cuda:7"])
        with bench.database.write() as session:
            session.add(Lease(device="cuda:1", holder_kind="chat", holder_id="x", owner_id=person.id))
        job = bench.jobs.submit(person, "train", training(), devices=["cuda:1"])
        bench.scheduler.tick()
        assert bench.jobs.get(person, job.id).state == "queued"
        copy = bench.jobs.clone(person, job.id, {})
        assert (copy.spec["devices"], copy.wanted_devices) == (["cuda:1"], 1)
        assert bench.drafts.check(person, "train", training()).own == ["cases"]


def test_more_rows_than_there_are_cannot_be_kept_away(workbench: Workbench, ready: Person) -> None:
    work: dict[str, Any] = {"model_name_or_path": "tiny", "data": {"train": "cases", "test_rows": 40}}
    assert [one.key for one in workbench.drafts.check(ready, "recipe", work).wrong] == ["data.test_rows"]
    work["data"]["test_rows"] = 39
    assert workbench.drafts.check(ready, "recipe", work).wrong == []


def test_the_form_has_a_field_for_what_one_may_choose_and_none_for_what_the_workbench_sets() -> None:
    keys = {control.key for group in form_of("recipe") for control in group.controls}
    assert {"train.learning_rate", "cutoff_len", "seed", "predict.max_new_tokens", "compare.primary"} <= keys
    names = {key.rpartition(".")[2] for key in keys}
    assert not names & {"dataset_dir", "pred_file", "output_metrics", "manifest", "save_name", "num_processes"}
    flat = {control.key for group in form_of("train") for control in group.controls}
    hidden = set(fields_of(SECTIONS["train"])) - flat
    assert hidden == {
        "model_name_or_path", "adapter_name_or_path", "revision", "dataset", "dataset_dir", "columns",
        "skip_bad_rows", "stage", "finetuning_type", "device", "num_processes",
    }  # fmt: skip


@pytest.mark.parametrize("profile", ["demo", "single-gpu", "8-gpu"])
def test_the_brief_form_of_a_recipe_is_the_same_recipe(profile: str) -> None:
    whole = load_recipe("medical", profile=profile).to_dict() | {"profile": ""}
    short = brief("recipe", whole)
    assert parse_recipe(short, "recipe").to_dict() == whole
    assert len(str(short)) < len(str(whole)) / 3
