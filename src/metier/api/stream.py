"""A job as Server-Sent Events: its state when it changes, its events and log lines as they are written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.encoders import jsonable_encoder

from metier.api.access import signed_in
from metier.core.errors import MetierError
from metier.workbench.accounts import Person
from metier.workbench.jobs import reason_text
from metier.workbench.live import Message, position_text
from metier.workbench.store.tables import Job
from metier.workbench.workbench import Workbench

_CHECK_SECONDS = 20.0  # how often it is made sure that who follows still may


async def event_stream(request: Request, services: Workbench, owner: Person, job: Job) -> AsyncIterator[str]:
    """Messages `state`, `event`, `log`, and at last `end`. Their ids are places to go on from."""
    position = request.headers.get("last-event-id") or request.query_params.get("from", "")
    loop = asyncio.get_running_loop()
    checked = loop.time()
    first = "retry: 1000\n\n"
    async for messages in services.followers.follow(owner, job, position):
        if loop.time() - checked > _CHECK_SECONDS:
            checked = loop.time()
            try:
                await run_in_threadpool(signed_in, request)
            except MetierError:
                yield "event: gone\ndata: {}\n\n"
                return
        yield first + "".join(map(_written, messages))
        first = ""


def _written(message: Message) -> str:
    if message.name == "quiet":
        return ": still here\n\n"
    if isinstance(message.value, Job):
        text = json.dumps(jsonable_encoder(_state(message.value)), ensure_ascii=False)
    else:
        text = message.text
    return f"id: {position_text(message.place)}\nevent: {message.name}\ndata: {text}\n\n"


def _state(job: Job) -> dict[str, Any]:
    stopping = job.state == "running" and bool(job.stopping)
    return {
        "state": "stopping" if stopping else job.state,
        "attempts": job.attempts,
        "reason": reason_text(job.reason) or None,
        "started": job.started,
        "ended": job.ended,
    }
