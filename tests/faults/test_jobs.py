"""Faults by the number of `checks/faults.md`: whatever is killed, a job has one true state and loses nothing."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from metier.core.files import read_json
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.backends.local import of_token
from metier.workbench.curves import curves
from metier.workbench.jobs import ENDED
from metier.workbench.live import all_events
from metier.workbench.process import identity, is_alive
from metier.workbench.store.tables import Job, Lease
from metier.workbench.workbench import Workbench
from tests.faults.children import give_data, give_model, training
from tests.support.bench import opened, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def ready(workbench: Workbench, owner: Person, tiny_model: Path) -> Workbench:
    """A workbench with a set and a model, looking after its queue."""
    give_model(tiny_model)
    give_data(workbench, owner)
    workbench.start()
    return workbench


def step_of(workbench: Workbench, job: Job) -> int:
    """How far a training has come."""
    steps = curves(all_events(workbench.jobs.folder_of(job)))["steps"]
    return steps[-1] if steps else 0


def until_step(workbench: Workbench, job: Job, step: int) -> None:
    wait_for(lambda: step_of(workbench, job) >= step, 200)


def until_ended(workbench: Workbench, owner: Person, job: Job) -> Job:
    return wait_for(lambda: (now := workbench.jobs.get(owner, job.id)).state in ENDED and now, 300)


def child_of(workbench: Workbench, job: Job) -> dict[str, Any]:
    return dict(read_json(workbench.jobs.folder_of(job) / layout.CHILD))


def held(workbench: Workbench) -> list[str]:
    with workbench.database.read() as session:
        return [lease.device for lease in session.query(Lease)]


def losses(workbench: Workbench, job: Job) -> dict[int, float]:
    found = curves(all_events(workbench.jobs.folder_of(job)))
    return dict(zip(found["steps"], found["loss"], strict=True))


def test_fault_01_a_killed_training_goes_on_and_ends_with_the_same_losses(ready: Workbench, owner: Person) -> None:
    whole = ready.jobs.submit(owner, "train", training(num_train_epochs=3))
    assert until_ended(ready, owner, whole).state == "done"
    job = ready.jobs.submit(owner, "train", training(num_train_epochs=3))
    until_step(ready, job, 90)
    os.kill(child_of(ready, job)["pid"], signal.SIGKILL)
    ended = until_ended(ready, owner, job)
    assert (ended.state, ended.attempts) == ("done", 2)
    assert losses(ready, job) == losses(ready, whole)
    assert held(ready) == []


def test_fault_04_a_child_that_dies_before_its_first_word_is_tried_again(
    ready: Workbench, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = ready.backend.start
    deaths = iter([True, False])

    def start(folder: Path, *rest: Any) -> dict[str, Any]:
        process = begin(folder, *rest)
        if next(deaths):
            os.kill(process["pid"], signal.SIGKILL)
        return process

    monkeypatch.setattr(ready.backend, "start", start)
    job = ready.jobs.submit(owner, "prepare", {"model_name_or_path": "tiny", "dataset": "cases"})
    ended = until_ended(ready, owner, job)
    assert (ended.state, ended.attempts) == ("done", 2)


def test_fault_05_and_06_a_new_server_adopts_what_runs_and_resumes_what_died(
    workbench: Workbench, owner: Person, tiny_model: Path
) -> None:
    give_model(tiny_model)
    give_data(workbench, owner)
    workbench.start()
    job = workbench.jobs.submit(owner, "train", training())
    until_step(workbench, job, 60)
    pid = child_of(workbench, job)["pid"]
    workbench.close()  # the child is not told; as after kill -9, nothing is written
    time.sleep(0.5)
    child = child_of(workbench, job)
    assert is_alive(child)

    with opened(workbench.folder) as second:
        began = time.monotonic()
        second.start()
        adopted = second.jobs.get(owner, job.id)
        assert time.monotonic() - began < 5
        assert (adopted.state, adopted.attempts, adopted.process["pid"]) == ("running", 1, pid)
        assert held(second) == ["cpu"]
    os.kill(child["pid"], signal.SIGKILL)
    wait_for(lambda: not is_alive(child))

    with opened(workbench.folder) as third:
        third.start()
        again = wait_for(lambda: (now := third.jobs.get(owner, job.id)).attempts == 2 and now)
        assert again.state == "running"
        ended = until_ended(third, owner, job)
        assert ended.state == "done"
        steps = curves(all_events(third.jobs.folder_of(job)))["steps"]
        assert steps == list(range(1, len(steps) + 1))


def test_fault_07_a_process_that_merely_has_the_number_is_neither_adopted_nor_killed(
    workbench: Workbench, owner: Person, tiny_model: Path
) -> None:
    give_model(tiny_model)
    give_data(workbench, owner)
    job = workbench.jobs.submit(owner, "prepare", {"model_name_or_path": "tiny", "dataset": "cases"})
    mine = {**identity(), "started": 1}  # this very test's number, but another start
    with workbench.database.write() as session:
        row = session.get(Job, job.id)
        assert row is not None
        row.state, row.token, row.process, row.attempts = "running", "t" * 32, mine, 1
    workbench.scheduler.tick()
    assert workbench.jobs.get(owner, job.id).state == "queued"  # not adopted; and this process still lives
    workbench.scheduler.start()
    assert until_ended(workbench, owner, job).state == "done"


@pytest.mark.long
def test_fault_10_a_stop_that_is_cut_short_leaves_a_checkpoint_to_go_on_from(ready: Workbench, owner: Person) -> None:
    job = ready.jobs.submit(owner, "train", training())
    until_step(ready, job, 60)
    pid = child_of(ready, job)["pid"]
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGKILL)
    ended = until_ended(ready, owner, job)
    assert ended.state == "done"
    steps = curves(all_events(ready.jobs.folder_of(job)))["steps"]
    assert steps == list(range(1, len(steps) + 1))


def test_fault_17_a_job_that_dies_at_each_start_ends_after_three_attempts_and_the_next_begins(
    ready: Workbench, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = ready.backend.start

    def start(folder: Path, *rest: Any) -> dict[str, Any]:
        process = begin(folder, *rest)
        if read_json(folder / layout.JOB)["kind"] == "train":
            os.kill(process["pid"], signal.SIGKILL)
        return process

    monkeypatch.setattr(ready.backend, "start", start)
    poisoned = ready.jobs.submit(owner, "train", training(seed=1))
    following = ready.jobs.submit(owner, "prepare", {"model_name_or_path": "tiny", "dataset": "cases"})
    ended = until_ended(ready, owner, poisoned)
    assert (ended.state, ended.attempts) == ("failed", 3)
    assert ended.reason is not None
    assert ended.reason["key"] == "workbench.reason_killed"
    assert until_ended(ready, owner, following).state == "done"


@pytest.mark.parametrize("moment", ["queued", "starting", "running"])
def test_fault_41_cancelled_at_any_moment_and_twice_it_has_one_end(
    ready: Workbench, owner: Person, moment: str
) -> None:
    if moment == "queued":
        other = ready.jobs.submit(owner, "train", training(seed=2))
        wait_for(lambda: ready.jobs.get(owner, other.id).state == "running")
    job = ready.jobs.submit(owner, "train", training())
    if moment == "starting":
        wait_for(lambda: ready.jobs.get(owner, job.id).state == "running")
    if moment == "running":
        until_step(ready, job, 50)
    for _ in range(2):
        ready.jobs.cancel(owner, job.id)
    began = time.monotonic()
    assert until_ended(ready, owner, job).state == "cancelled"
    assert time.monotonic() - began < 12
    if moment == "queued":
        ready.jobs.cancel(owner, other.id)
        until_ended(ready, owner, other)
    wait_for(lambda: held(ready) == [])
    assert ready.jobs.cancel(owner, job.id).state == "cancelled"
    if moment == "running":
        ready.jobs.resume(owner, job.id)
        ended = until_ended(ready, owner, job)
        assert ended.state == "done"
        steps = curves(all_events(ready.jobs.folder_of(job)))["steps"]
        assert steps == list(range(1, len(steps) + 1))


def test_fault_43_a_set_that_is_removed_or_changed_is_still_the_jobs_own(ready: Workbench, owner: Person) -> None:
    blocker = ready.jobs.submit(owner, "train", training(seed=3))
    job = ready.jobs.submit(owner, "train", training(num_train_epochs=1))
    ready.datasets.remove(owner, "cases")
    ready.jobs.cancel(owner, blocker.id)
    ended = until_ended(ready, owner, job)
    assert (ended.state, ended.summary["rows"]) == ("done", 40)


@pytest.mark.long
def test_fault_11_a_suspended_training_is_replaced_and_cannot_write_when_it_wakes(
    ready: Workbench, owner: Person
) -> None:
    job = ready.jobs.submit(owner, "train", training())
    until_step(ready, job, 45)
    process = child_of(ready, job)
    os.kill(process["pid"], signal.SIGSTOP)
    ready.scheduler.stalls.limits = dict.fromkeys(ready.scheduler.stalls.limits, 4.0)
    again = wait_for(lambda: (now := ready.jobs.get(owner, job.id)).attempts == 2 and now, 60)
    assert again.reason is not None
    assert again.reason["key"] == "workbench.reason_stalled"
    assert not is_alive(process)  # SIGCONT has nothing to wake
    ready.scheduler.stalls.limits = dict.fromkeys(ready.scheduler.stalls.limits, 180.0)
    assert until_ended(ready, owner, job).state == "done"
    assert sorted(losses(ready, job)) == list(range(1, 241))


@pytest.mark.long
def test_fault_12_nothing_that_a_job_started_outlives_it(ready: Workbench, owner: Person) -> None:
    job = ready.jobs.submit(owner, "train", training(num_processes=2))
    until_step(ready, job, 5)
    said = child_of(ready, job)
    assert len(of_token(said["token"])) >= 3  # the child and torchrun's workers, which lead sessions of their own
    ready.jobs.cancel(owner, job.id)
    os.kill(said["pid"], signal.SIGKILL)
    until_ended(ready, owner, job)
    wait_for(lambda: of_token(said["token"]) == [])
