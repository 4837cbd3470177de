"""A job's record as it grows: events and log lines, from any place on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from metier.workbench import layout

_POSITION = re.compile(r"e([0-9]{1,18})\.l([0-9]{1,18})")
_MOST = 1 << 20  # bytes that are read at once
_TAIL = 1 << 16  # bytes of the newest events: enough for the last progress of a step
_FAR = 1 << 62
_LINE = 4_000  # characters of a log line that are passed on; the file has them all
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")

_DECODER = json.JSONDecoder(parse_constant=lambda _: None)  # NaN is no JSON, and no point of a curve

Place = tuple[int, int]  # bytes of the events and of the log that were read


@dataclass(frozen=True)
class Message:
    """Something that a job told. name: `event` or `log`; place: where the record is read on from after it."""

    name: str
    value: Any
    place: Place

    @cached_property
    def text(self) -> str:
        """The value as JSON, written once however many follow the job."""
        return json.dumps(self.value, ensure_ascii=False)


@dataclass
class Feed:
    """Reads what is new in a job's folder, from the `events` and `log` bytes on that were read already."""

    folder: Path
    events: int = 0
    log: int = 0

    @property
    def place(self) -> Place:
        """Where the next reading begins."""
        return self.events, self.log

    def seek(self, position: str) -> None:
        """Goes to a position (`e<bytes>.l<bytes>`) that was given out earlier; anything else begins at the start."""
        if (match := _POSITION.fullmatch(position)) is not None:
            self.events, self.log = int(match[1]), int(match[2])

    def seek_end(self) -> None:
        """Goes behind the last whole line of what is there."""
        self.events = _last_line_end(self.folder / layout.EVENTS)
        self.log = _last_line_end(self.folder / layout.LOG)

    def read_events(self) -> Iterator[Message]:
        """All new events, without the log."""
        before = -1
        while self.events != before:
            before = self.events
            yield from self.read((_FAR, self.log))

    def read(self, until: Place | None = None) -> list[Message]:
        """What is new, at most up to a place: each event with its own place, the log's whole lines together."""
        stop_events, stop_log = until or (None, None)
        messages = []
        found = _new_lines(self.folder / layout.EVENTS, self.events, stop_events)
        for end, line in found:
            self.events = end
            if (event := _parse(line)) is not None:
                messages.append(Message("event", event, self.place))
        lines = _new_lines(self.folder / layout.LOG, self.log, stop_log)
        if lines:
            self.log = lines[-1][0]
            messages.append(Message("log", {"lines": [shown(line) for _, line in lines]}, self.place))
        return messages


def position_text(place: Place) -> str:
    """A place as it is given out and accepted again by `Feed.seek`."""
    return f"e{place[0]}.l{place[1]}"


def shown(line: bytes) -> str:
    """A log line as it is shown: without what only a terminal understands, of a redrawn line its last state."""
    text = line.decode("utf-8", "replace").rstrip("\r").rsplit("\r", 1)[-1]
    text = _ESCAPES.sub("", text)
    return text if len(text) <= _LINE else text[:_LINE] + " …"


def _new_lines(path: Path, start: int, stop: int | None = None) -> list[tuple[int, bytes]]:
    """Whole lines behind `start` with where each ends. A log whose middle was cut out goes on from its new end."""
    try:
        size = path.stat().st_size
        if size < start:
            return [(size, b"\xe2\x80\xa6")]
        most = _MOST if stop is None else min(_MOST, stop - start)
        if size == start or most <= 0:
            return []
        with path.open("rb") as source:
            source.seek(start)
            block = source.read(most)
    except OSError:
        return []
    end = block.rfind(b"\n") + 1
    if end == 0 and len(block) == _MOST:
        return [(start + len(block), block)]  # a line without end: passed on in pieces
    lines, place = [], start
    for line in block[:end].split(b"\n")[:-1]:
        place += len(line) + 1
        lines.append((place, line))
    return lines


def _last_line_end(path: Path) -> int:
    try:
        with path.open("rb") as source:
            size = source.seek(0, 2)
            source.seek(max(0, size - _MOST))
            block = source.read()
    except OSError:
        return 0
    return size - len(block) + block.rfind(b"\n") + 1


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        value = _DECODER.decode(line.decode("utf-8"))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def all_events(folder: Path) -> list[dict[str, Any]]:
    """Every event of a job so far."""
    return [message.value for message in Feed(folder).read_events()]


def newest_events(folder: Path) -> list[dict[str, Any]]:
    """The last events of a job, as many as say where it is."""
    path = folder / layout.EVENTS
    try:
        with path.open("rb") as source:
            size = source.seek(0, 2)
            source.seek(max(0, size - _TAIL))
            block = source.read()
    except OSError:
        return []
    lines = block.split(b"\n")
    whole = lines[1:-1] if size > _TAIL else lines[:-1]
    return [event for line in whole if (event := _parse(line)) is not None]


def last_lines(folder: Path, count: int) -> tuple[list[str], int]:
    """The last lines of a job's log, and the byte that follows them."""
    path = folder / layout.LOG
    end = _last_line_end(path)
    start = max(0, end - _MOST)
    try:
        with path.open("rb") as source:
            source.seek(start)
            lines = source.read(end - start).split(b"\n")[:-1]
    except OSError:
        return [], 0
    return [shown(line) for line in lines[1 if start else 0 :][-count:]], end
