"""The process that reads and indexes what came in: `python -m metier.workbench.importing LIBRARY`.

It first makes indexes anew that another version of the product wrote. Then it takes file after file from the
`incoming` folders of all owners, in turn, and ends when there is none left. One at a time works on a library; it ends
with the server that started it, and the next start goes on with what is there.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from metier.core.errors import MetierError, RunError
from metier.core.events import EventLog
from metier.core.files import folder_lock
from metier.core.i18n import use_language
from metier.knowledge.base import KnowledgeBase
from metier.knowledge.embedding import Embedder, is_endpoint
from metier.knowledge.library import Library
from metier.workbench.arrivals import MOST_ATTEMPTS, OUTCOME, Arrival, Progress, arrivals, count_attempt, end, take_back

_log = logging.getLogger("metier.workbench")
BUSY = 75  # exit code where another one works
_BATCH = 8  # files of a base at once, while nobody else waits
_END_SECONDS = 5.0
_STAY_SECONDS, _LOOK_SECONDS = 60.0, 0.3


def main() -> int:
    """Imports until nothing waits."""
    told = Told(sys.stdin.buffer.readline())
    library = Library(Path(sys.argv[1]), told.open)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    threading.Thread(target=_end_with_server, args=(told,), daemon=True).start()
    use_language("en")
    try:
        with folder_lock(library.folder / ".importing"):
            sound = [renew_index(base) for base in library.everyone()]
            while True:
                for base, batch in turns(library):
                    import_batch(base, batch)
                if not more_comes(library):
                    break
    except RunError:
        return BUSY
    return 0 if all(sound) else 1


class Told:
    """What the server tells of embedders, the newest counts: `local`, whether endpoints may be of this machine's
    network; `keys` for endpoints by owner."""

    def __init__(self, line: bytes = b"") -> None:
        self._said: dict[str, Any] = {}
        self._models: dict[str, Embedder] = {}
        self.take(line)

    def take(self, line: bytes) -> None:
        """Another line of the server's."""
        if line.endswith(b"\n"):
            self._said = json.loads(line)

    def open(self, name: str, owner: str) -> Embedder:
        """What makes a base's vectors, in this process. An endpoint gets its owner's key, and nobody else's."""
        if not is_endpoint(name):
            from metier.knowledge.embedding_local import LocalEmbedder

            self._models = {name: self._models.get(name) or LocalEmbedder(name)}  # bases of one model share it
            return self._models[name]
        from metier.knowledge.embedding_server import ServerEmbedder

        return ServerEmbedder(name, lambda: self._key(owner), local=bool(self._said.get("local")))

    def _key(self, owner: str) -> str:
        return str(self._said.get("keys", {}).get(owner, ""))


def renew_index(base: KnowledgeBase) -> bool:
    """Makes an index that another version wrote anew; whether the base has one to work with now."""
    try:
        base.renew_index()
    except Exception as error:  # the boundary of a process: the others' files are imported all the same
        _log.error("%s: %s: %s", base.folder, type(error).__name__, error)
        return not base.folder.exists()  # removed meanwhile
    return True


def turns(library: Library) -> Iterator[tuple[KnowledgeBase, list[Arrival]]]:
    """What to import next, the oldest first, owner after owner: one who brings much does not keep others waiting."""
    served: list[str] = []
    while waiting := _waiting(library):
        owners = {owner for owner, _, _ in waiting}
        fresh = [one for one in waiting if one[0] not in served] or [
            one for one in waiting if one[0] == min(owners, key=served.index)
        ]
        owner, base, _ = fresh[0]
        served = [one for one in served if one != owner] + [owner]
        most = _BATCH if len(owners) == 1 else 1  # a file may take minutes: with others in line it is one at a time
        yield base, [one for _, of, one in waiting if of is base][:most]


def more_comes(library: Library) -> bool:
    """Whether another file comes within a while. Only waits where a model is loaded, which takes some seconds: who
    brings files one after the other has it once."""
    until = time.monotonic() + (_STAY_SECONDS if "torch" in sys.modules else 0.0)
    while time.monotonic() < until:
        if _waiting(library):
            return True
        time.sleep(_LOOK_SECONDS)
    return False


def _waiting(library: Library) -> list[tuple[str, KnowledgeBase, Arrival]]:
    found = [
        (base.owner, base, one) for base in library.everyone() for one in arrivals(base.folder) if one.outcome is None
    ]
    return sorted(found, key=lambda one: one[2].came)


def import_batch(base: KnowledgeBase, batch: list[Arrival]) -> None:
    """Imports some files of a base, and writes down after each what became of it."""
    ready = [one for one in batch if not _is_given_up(one)]
    at = _At()

    def tell(event: dict[str, Any]) -> None:
        if event["event"] == "file":
            at.begin(ready[event["number"] - 1])
        elif event["event"] == "progress" and at.progress is not None:
            at.progress.at(int(event.get("step") or 0), int(event.get("total") or 0))
        elif event["event"] == "indexing" and at.progress is not None:
            at.progress.indexing()
        elif event["event"] == "outcome":
            kept = {key: value for key, value in event.items() if key not in ("event", "time", "number", "total")}
            end(ready[event["number"] - 1], kept)
            at.end()

    try:
        base.add([(one.file_name, one.file) for one in ready], events=EventLog(None, (tell,)))
    except SystemExit:  # the server ended: no fault of the file's
        if at.file is not None:
            take_back(at.file)
        raise
    except MetierError as error:  # of no single file: an embedder is away that a broken-off import needs
        for one in ready:
            if one.outcome is None and not (one.folder / OUTCOME).exists() and base.folder.exists():
                _fail(one, error.key, dict(error.fields))
    except Exception as error:  # the boundary of a process: one file's fault is not the others'
        if at.file is not None and base.folder.exists():
            _fail(at.file, *_why(error))
        elif base.folder.exists():
            raise


class _At:
    """The file that is being read."""

    def __init__(self) -> None:
        self.file: Arrival | None = None
        self.progress: Progress | None = None

    def begin(self, one: Arrival) -> None:
        count_attempt(one)
        self.file, self.progress = one, Progress(one)

    def end(self) -> None:
        self.file = self.progress = None


def _is_given_up(one: Arrival) -> bool:
    """Whether a file has ended the importer so often that it is not tried again; it is told then."""
    if one.attempts < MOST_ATTEMPTS:
        return False
    _fail(one, "workbench.import_given_up", {"file": one.file_name, "attempts": one.attempts})
    return True


def _why(error: Exception) -> tuple[str, dict[str, Any]]:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "workbench.disk_full", {}
    return "workbench.import_unexpected", {"problem": f"{type(error).__name__}: {error}".splitlines()[0][:200]}


def _fail(one: Arrival, key: str, fields: dict[str, Any]) -> None:
    end(one, {"name": one.file_name, "state": "failed", "seconds": 0.0, "key": key, "fields": fields})


def _end_with_server(told: Told) -> None:
    """Hears what the server tells, and waits for the end of the pipe that it holds."""
    for line in sys.stdin.buffer:
        told.take(line)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_END_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
