"""Jobs that are followed by many: each folder is read once, and what is new goes to everybody who follows.

All of this runs in the server's event loop; asking the store and reading much happens in threads.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable

from sqlalchemy.exc import SQLAlchemyError

from metier.core.errors import MetierError
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.errors import TooManyError
from metier.workbench.jobs import ENDED, Jobs
from metier.workbench.live import Feed, Message
from metier.workbench.store.tables import Job

MOST_STREAMS = 300  # that one account may hold open
_POLL_SECONDS = 0.1
_QUIET_SECONDS = 15.0
_WAITING = 1000  # batches that may wait for one slow follower; then it reads the record itself
_MUCH = 1 << 16  # bytes that are not read in between other work
_LAST = ("end", "gone", "draining")

Batch = tuple[Message, ...]
Inbox = asyncio.Queue[Batch]


class Followers:
    """Who follows which job. draining: whether the server is about to stop."""

    def __init__(self, jobs: Jobs, draining: Callable[[], bool]) -> None:
        self._jobs = jobs
        self._draining = draining
        self._tails: dict[str, _Tail] = {}
        self._open: Counter[str] = Counter()

    def check(self, owner: Person) -> None:
        """Raises TooManyError where an account already follows as much as one may."""
        if self._open[owner.id] >= MOST_STREAMS:
            raise TooManyError("workbench.too_many_streams", most=MOST_STREAMS, retry_after_seconds=5)

    async def follow(self, owner: Person, job: Job, position: str) -> AsyncIterator[Batch]:
        """Messages `event` and `log` from a position on, `state` (its value is the Job) at first and when it changes,
        `quiet` now and then, and one of `end`, `gone`, `draining` at last; those that are new together come together.
        """
        self._open[owner.id] += 1
        tail = self._tail(owner, job)
        inbox: Inbox = asyncio.Queue(_WAITING)
        try:
            feed = Feed(tail.feed.folder)
            feed.seek(position)
            yield (Message("state", job, feed.place),)
            while True:
                async for messages in _catch_up(feed, tail):
                    yield messages
                tail.inboxes.add(inbox)
                while inbox in tail.inboxes or not inbox.empty():
                    messages = (tail.over,) if tail.over and inbox.empty() else await inbox.get()
                    feed.events, feed.log = messages[-1].place
                    yield messages
                    if messages[-1].name in _LAST:
                        return
        finally:
            tail.inboxes.discard(inbox)
            tail.leave()
            self._open[owner.id] -= 1

    def _tail(self, owner: Person, job: Job) -> _Tail:
        tail = self._tails.get(job.id)
        if tail is None:
            tail = _Tail(
                Feed(self._jobs.folder_of(job)),
                job,
                stamp=lambda: self._jobs.stamp(job.id),
                again=lambda: self._jobs.get(owner, job.id),
                draining=self._draining,
                left=lambda: self._tails.pop(job.id, None),
            )
            self._tails[job.id] = tail
        tail.join()
        return tail


class _Tail:
    """Reads one job's folder for all who follow it, for as long as somebody does."""

    def __init__(
        self, feed: Feed, job: Job, *, stamp: Callable[[], int], again: Callable[[], Job],
        draining: Callable[[], bool], left: Callable[[], object],
    ) -> None:  # fmt: skip
        self.feed = feed
        self.job = job
        self.over: Message | None = None
        self.inboxes: set[Inbox] = set()
        self._stamp, self._again, self._draining, self._left = stamp, again, draining, left
        self._followers = 0
        self._task: asyncio.Task[None] | None = None
        self._seen = stamp()
        feed.seek_end()
        self.place = feed.place

    def join(self) -> None:
        """One more follows."""
        self._followers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def leave(self) -> None:
        """One less follows; the last one ends the reading."""
        self._followers -= 1
        if not self._followers and self._task is not None:
            self._task.cancel()
            self._left()

    async def _run(self) -> None:
        sizes: tuple[int, int] | None = None
        quiet = 0.0
        while not self._draining():
            told = False
            if (now := self._sizes()) != sizes:
                much = abs(sum(now) - sum(self.feed.place)) > _MUCH
                messages = await asyncio.to_thread(self.feed.read) if much else self.feed.read()
                self._publish(*messages)
                told = bool(messages)
                sizes = None if told else now
            if self._stamp() != self._seen:
                self._seen = self._stamp()
                told = True
                if not await self._look_again():
                    self._publish_last(Message("gone", {}, self.place))
                    return
            if self.job.state in ENDED and not told:
                self._publish(Message("end", self.job, self.place))
            quiet = 0.0 if told else quiet + _POLL_SECONDS
            if quiet > _QUIET_SECONDS:
                quiet = 0.0
                self._publish(Message("quiet", {}, self.place))
            await asyncio.sleep(_POLL_SECONDS)
        self._publish_last(Message("draining", {}, self.place))

    async def _look_again(self) -> bool:
        try:
            self.job = await asyncio.to_thread(self._again)
        except MetierError:
            return False
        except SQLAlchemyError:
            self._seen = -1  # the store is away: asked again at the next look
            return True
        self._publish(Message("state", self.job, self.place))
        return True

    def _sizes(self) -> tuple[int, int]:
        found = []
        for name in (layout.EVENTS, layout.LOG):
            try:
                found.append((self.feed.folder / name).stat().st_size)
            except OSError:
                found.append(0)
        return found[0], found[1]

    def _publish_last(self, message: Message) -> None:
        self.over = message
        self._publish(message)

    def _publish(self, *messages: Message) -> None:
        if not messages:
            return
        self.place = messages[-1].place
        for inbox in list(self.inboxes):
            try:
                inbox.put_nowait(messages)
            except asyncio.QueueFull:
                self.inboxes.discard(inbox)  # it takes what waits for it, then reads on by itself


async def _catch_up(feed: Feed, tail: _Tail) -> AsyncIterator[Batch]:
    """What was told between the feed's place and the tail's, until both are at the same one."""
    while feed.place != tail.place:
        before, until = feed.place, tail.place
        # A position from elsewhere, or of a log that was cut since: there is nothing of it to be told again.
        feed.events, feed.log = min(feed.events, until[0]), min(feed.log, until[1])
        if messages := await asyncio.to_thread(feed.read, until):
            yield tuple(messages)
        if feed.place == before:
            feed.events, feed.log = until
