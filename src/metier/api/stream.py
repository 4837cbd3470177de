"""A job as Server-Sent Events: its state when it changes, its events and log lines as they are written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from fastapi.encoders import jsonable_encoder

from metier.core.errors import MetierError
from metier.workbench.accounts import Person
from metier.workbench.jobs import ENDED, reason_text
from metier.workbench.live import Feed
from metier.workbench.store.tables import Job
from metier.workbench.workbench import Workbench

_POLL_SECONDS = 0.2
_PING_SECONDS = 15.0
_CHECK_SECONDS = 20.0  # how often it is made sure that who follows still may


async def event_stream(request: Request, services: Workbench, owner: Person, job: Job) -> AsyncIterator[str]:
    """Messages `state`, `event`, `log`, and at last `end`. Their ids are places to go on from."""
    feed = Feed(services.jobs.folder_of(job))
    feed.seek(request.headers.get("last-event-id") or request.query_params.get("from", ""))
    yield "retry: 1000\n\n"
    yield _message("state", _state(job), feed.position)
    seen = services.jobs.stamp(job.id)
    loop = asyncio.get_running_loop()
    quiet = checked = loop.time()
    while not services.draining:
        events, lines = feed.read()
        for event in events:
            yield _message("event", event, feed.position)
        if lines:
            yield _message("log", {"lines": lines}, feed.position)
        if services.jobs.stamp(job.id) != seen or loop.time() - checked > _CHECK_SECONDS:
            seen, checked = services.jobs.stamp(job.id), loop.time()
            try:
                job = await asyncio.to_thread(_again, services, request, owner, job.id)
            except MetierError:
                yield _message("gone", {}, feed.position)
                return
            yield _message("state", _state(job), feed.position)
        elif job.state in ENDED and not events and not lines:
            yield _message("end", _state(job), feed.position)
            return
        if events or lines:
            quiet = loop.time()
        elif loop.time() - quiet > _PING_SECONDS:
            quiet = loop.time()
            yield ": still here\n\n"
        if await request.is_disconnected():
            return
        await asyncio.sleep(_POLL_SECONDS)
    yield _message("draining", {}, feed.position)


def _again(services: Workbench, request: Request, owner: Person, job_id: str) -> Job:
    """The job as it is now, if the owner is still signed in."""
    from metier.api.access import signed_in

    signed_in(request)
    return services.jobs.get(owner, job_id)


def _state(job: Job) -> dict[str, Any]:
    stopping = job.state == "running" and bool(job.stopping)
    return {
        "state": "stopping" if stopping else job.state,
        "attempts": job.attempts,
        "reason": reason_text(job.reason) or None,
        "started": job.started,
        "ended": job.ended,
    }


def _message(name: str, value: Any, position: str) -> str:
    text = json.dumps(jsonable_encoder(value), ensure_ascii=False)
    return f"id: {position}\nevent: {name}\ndata: {text}\n\n"
