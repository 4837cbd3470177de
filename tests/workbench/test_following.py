"""Following a job: many read one record, and whoever is slow misses nothing and gets nothing twice."""

from __future__ import annotations

import asyncio

import pytest

from metier.core.files import append_jsonl
from metier.workbench import following, layout
from metier.workbench.accounts import Person
from metier.workbench.store.tables import Job
from metier.workbench.workbench import Workbench

EVENTS = 400


@pytest.fixture
def job(workbench: Workbench, owner: Person) -> Job:
    """A job that seems to run."""
    made = Job(owner_id=owner.id, kind="train", title="Followed", spec={"asked": {}, "work": {}}, state="running")
    with workbench.database.write() as session:
        session.add(made)
    workbench.jobs.folder_of(made).mkdir(parents=True)
    return made


async def follower(workbench: Workbench, owner: Person, job: Job, *, pause: float, leave_at: int = 0) -> list[int]:
    """The steps that one follower hears. leave_at: the step after which it breaks off and comes back from there."""
    heard: list[int] = []
    position = ""
    while not heard or heard[-1] < EVENTS:
        stream = workbench.followers.follow(owner, job, position)
        async for messages in stream:
            for message in messages:
                if message.name == "event":
                    heard.append(message.value["step"])
                    position = f"e{message.place[0]}.l{message.place[1]}"
                    if heard[-1] == EVENTS or heard[-1] == leave_at:
                        break
            else:
                await asyncio.sleep(pause)
                continue
            break
        await stream.aclose()
    return heard


def test_slow_and_returning_followers_hear_each_event_once(
    workbench: Workbench, owner: Person, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_WAITING", 1)
    monkeypatch.setattr(following, "_POLL_SECONDS", 0.001)
    path = workbench.jobs.folder_of(job) / layout.EVENTS

    async def write() -> None:
        for first in range(1, EVENTS + 1, 5):
            append_jsonl(path, [{"event": "progress", "step": step} for step in range(first, first + 5)])
            await asyncio.sleep(0.002)

    async def all_together() -> list[list[int]]:
        ways = [{"pause": 0.0}, {"pause": 0.02}, {"pause": 0.0, "leave_at": 137}, {"pause": 0.05, "leave_at": 250}]
        followers = [follower(workbench, owner, job, **way) for way in ways]  # type: ignore[arg-type]
        heard = await asyncio.gather(*followers, write())
        return [one for one in heard if one is not None]

    for heard in asyncio.run(asyncio.wait_for(all_together(), 60)):
        assert heard == list(range(1, EVENTS + 1))
    assert not workbench.followers._tails  # nobody is left, and nothing is read any more


def test_the_end_is_told_to_all_and_a_removed_job_is_gone(workbench: Workbench, owner: Person, job: Job) -> None:
    async def last(change: str) -> list[str]:
        async def one() -> str:
            async for messages in workbench.followers.follow(owner, workbench.jobs.get(owner, job.id), ""):
                name = messages[-1].name
                if name in ("end", "gone", "draining"):
                    return name
            return ""

        followers = [asyncio.create_task(one()) for _ in range(3)]
        await asyncio.sleep(0.3)
        with workbench.database.write() as session:
            row = session.get(Job, job.id)
            assert row is not None
            row.state = "done" if change == "end" else row.state
            if change == "gone":
                session.delete(row)
        workbench.jobs.touched(job.id)
        return list(await asyncio.wait_for(asyncio.gather(*followers), 10))

    with workbench.database.write() as session:
        session.merge(job)
    assert asyncio.run(last("end")) == ["end"] * 3
    with workbench.database.write() as session:
        row = session.get(Job, job.id)
        assert row is not None
        row.state = "running"
    assert asyncio.run(last("gone")) == ["gone"] * 3
