"""What a waiting job waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metier.workbench.store.tables import Job


@dataclass(frozen=True)
class Waiting:
    """before: how many jobs stand before it in line; holders: of the devices it waits for, as `Workbench.holders` shows
    them."""

    before: int
    holders: list[dict[str, Any]]


def waiting_of(job: Job, queue: Sequence[Job], holders: Sequence[dict[str, Any]]) -> Waiting:
    """Why a job has not begun. queue: everything that runs and waits, in order.

    The job was read a moment before the holders: what has begun meanwhile is not held up by itself.
    """
    if any(one["id"] == job.id for one in holders):
        return Waiting(0, [])
    line = [one.id for one in queue if one.state == "queued" and bool(one.wanted_devices) == bool(job.wanted_devices)]
    held = [one for one in holders if one["kind"]]
    short = job.wanted_devices > len(holders) - len(held)
    return Waiting(line.index(job.id) if job.id in line else 0, held if short else [])
