"""Several things at a time, results as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def several(things: Iterable[T], work: Callable[[T], Awaitable[R]], most: int) -> AsyncGenerator[R, None]:
    """The results of `work`, each as it comes, at most `most` at a time.

    The first error is raised; what is under way is stopped then, and when the reader stops.
    """

    async def one(thing: T) -> R:
        return await work(thing)

    waiting: set[asyncio.Task[R]] = set()
    try:
        for thing in things:
            if len(waiting) >= most:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
            waiting.add(asyncio.create_task(one(thing)))
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
