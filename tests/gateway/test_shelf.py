"""Models that are loaded once for all who ask, whatever becomes of who asked first."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from metier.core.errors import ModelError
from metier.gateway.shelf import ModelShelf


class Closes:
    closed = False

    async def close(self) -> None:
        self.closed = True


class Loading:
    """Opens models as slowly as a test wants."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.opened: list[Closes] = []

    def __call__(self) -> Any:
        self.begun.set()
        assert self.go_on.wait(10)
        self.opened.append(Closes())
        return self.opened[-1]


async def hold(shelf: ModelShelf, opener: Any) -> Any:
    async with shelf.held("one", opener) as model:
        return model


def test_who_leaves_while_a_model_loads_does_not_make_it_load_twice() -> None:
    async def scene() -> None:
        shelf, opener = ModelShelf(0.0), Loading()
        first = asyncio.create_task(hold(shelf, opener))
        assert await asyncio.to_thread(opener.begun.wait, 10)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = asyncio.create_task(hold(shelf, opener))
        await asyncio.sleep(0.05)
        opener.go_on.set()
        assert [await second] == opener.opened
        await shelf.let_go_idle()
        assert (opener.opened[0].closed, shelf.loaded) == (True, [])

    asyncio.run(scene())


def test_a_model_that_nobody_waits_for_any_more_is_closed_with_the_shelf() -> None:
    async def scene() -> None:
        shelf, opener = ModelShelf(900.0), Loading()
        only = asyncio.create_task(hold(shelf, opener))
        assert await asyncio.to_thread(opener.begun.wait, 10)
        only.cancel()
        asyncio.get_running_loop().call_later(0.05, opener.go_on.set)
        await shelf.close()
        assert [model.closed for model in opener.opened] == [True]

    asyncio.run(scene())


def test_a_model_that_could_not_be_loaded_is_tried_again() -> None:
    def fails() -> Any:
        raise ModelError("engines.model_closed")

    async def scene() -> None:
        shelf, opener = ModelShelf(900.0), Loading()
        opener.go_on.set()
        with pytest.raises(ModelError):
            await hold(shelf, fails)
        assert await hold(shelf, opener) is opener.opened[0]
        await shelf.close()

    asyncio.run(scene())
