"""What a waiting job is said to wait for."""

from __future__ import annotations

from metier.workbench.store.tables import Job
from metier.workbench.waiting import Waiting, waiting_of


def test_a_job_that_begins_while_it_is_looked_at_is_not_held_up_by_itself() -> None:
    job = Job(id="a" * 16, state="queued", wanted_devices=1)
    other = {"device": "cpu", "kind": "job", "id": "b" * 16, "title": "Other", "mine": True}
    assert waiting_of(job, [job], [other]) == Waiting(0, [other])
    assert waiting_of(job, [job], [{**other, "id": job.id}]) == Waiting(0, [])
