"""A thread with an event loop, in which specialists answer beside the requests that asked them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any


class AnswerLoop:
    """Begins when it is first needed."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def run(self, work: Coroutine[Any, Any, None], ended: Callable[[], None]) -> Callable[[], None]:
        """Begins some work and returns what stops it. ended: called in the loop, whatever ended it."""
        loop = self._running()
        tasks: list[asyncio.Task[None]] = []

        def begin() -> None:
            task = loop.create_task(work)
            task.add_done_callback(lambda _task: ended())
            tasks.append(task)

        def stop() -> None:
            loop.call_soon_threadsafe(lambda: tasks[0].cancel())

        loop.call_soon_threadsafe(begin)
        return stop

    def close(self, seconds: float = 5.0) -> None:
        """Stops all work and waits for it."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is None:
            return
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(seconds)
        loop.call_soon_threadsafe(loop.stop)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="answers", daemon=True).start()
            return self._loop


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
