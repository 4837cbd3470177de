"""Open event streams: how long a line of a job takes to everybody who follows it.

    python bench/event_streams.py [--streams 300] [--lines 100] [--quick]

A server process; so many streams of one account follow one job, read by a single thread of this script with
non-blocking sockets, so that the reader does not measure itself. The job's record is written by this script as a child
would write it: a line of the log and an event, ten a second, each with the time of its writing. Prints the median, the
99th percentile and the most of the milliseconds from writing to reading over all streams, whether every stream got
every line once, and that one stream more than allowed is refused.
"""

from __future__ import annotations

import argparse
import json
import re
import selectors
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.server import started

from metier.core.files import append_jsonl
from metier.workbench import layout
from metier.workbench.following import MOST_STREAMS
from metier.workbench.process import identity
from metier.workbench.settings import WorkbenchSettings
from metier.workbench.store.tables import Job, Lease
from metier.workbench.workbench import Workbench

BAR_SECONDS = 0.300
TOKEN = "bench"  # noqa: S105 - of a job that is none
_LINE = re.compile(rb"written (\d+) at (\d+\.\d+)")


def fill(folder: Path) -> tuple[str, Path, str]:
    """An account with a job that seems to run: this script is its process. Returns its id, folder, and a key."""
    workbench = Workbench(WorkbenchSettings(folder=folder, devices=("cpu",)))
    owner = workbench.accounts.sign_up("li", "a good long password")
    _, key = workbench.accounts.create_key(owner, "bench")
    process = {**identity(), "token": TOKEN}
    work = {"model_name_or_path": "smollm2-135m", "dataset": "medical_demo_en"}
    job = Job(
        owner_id=owner.id, kind="train", title="Followed", spec={"asked": work, "work": work}, state="running",
        token=TOKEN, process=process, devices=["cpu"], attempts=1,
    )  # fmt: skip
    with workbench.database.write() as session:
        session.add(job)
        session.flush()
        session.add(Lease(device="cpu", holder_kind="job", holder_id=job.id, owner_id=owner.id))
    path = workbench.jobs.folder_of(job)
    path.mkdir(parents=True)
    (path / layout.CHILD).write_text(json.dumps({**process, "token": TOKEN}))
    (path / layout.HEARTBEAT).touch()
    workbench.close()
    return job.id, path, key


def write(folder: Path, lines: int) -> None:
    """Writes the record as a child does."""
    for number in range(lines):
        (folder / layout.HEARTBEAT).touch()
        with (folder / layout.LOG).open("a") as log:
            log.write(f"written {number} at {time.time():.6f}\n")
        append_jsonl(folder / layout.EVENTS, [{"event": "progress", "of": "train", "step": number, "loss": 1.0}])
        time.sleep(0.1)


def open_streams(address: str, job_id: str, key: str, count: int) -> list[socket.socket]:
    """So many connections that follow the job."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    asked = (
        f"GET /api/v1/jobs/{job_id}/events HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Authorization: Bearer {key}\r\nAccept: text/event-stream\r\n\r\n"
    )
    found = []
    for _ in range(count):
        one = socket.create_connection((host, int(port)))
        one.sendall(asked.encode())
        found.append(one)
    return found


def read(streams: list[socket.socket], until: threading.Event) -> tuple[list[float], list[Counter[int]]]:
    """Seconds from writing to reading, and how often each stream got each line."""
    selector = selectors.DefaultSelector()
    rest = [b""] * len(streams)
    got: list[Counter[int]] = [Counter() for _ in streams]
    for number, one in enumerate(streams):
        one.setblocking(False)
        selector.register(one, selectors.EVENT_READ, number)
    seconds = []
    while not until.is_set():
        for ready, _ in selector.select(0.2):
            number = ready.data
            block = ready.fileobj.recv(1 << 16)  # type: ignore[union-attr]
            if not block:
                selector.unregister(ready.fileobj)
                continue
            now = time.time()
            whole, _, rest[number] = (rest[number] + block).rpartition(b"\n")
            for found in _LINE.finditer(whole):
                got[number][int(found[1])] += 1
                seconds.append(now - float(found[2]))
    return seconds, got


def refused(address: str, job_id: str, key: str) -> int:
    """The status of one stream more."""
    connection = HTTPConnection(address.removeprefix("http://"), timeout=10)
    connection.request("GET", f"/api/v1/jobs/{job_id}/events", headers={"Authorization": f"Bearer {key}"})
    return connection.getresponse().status


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=MOST_STREAMS)
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="50 streams, 30 lines")
    given = parser.parse_args()
    count, lines = (50, 30) if given.quick else (given.streams, given.lines)
    with tempfile.TemporaryDirectory() as name:
        job_id, folder, key = fill(Path(name) / "bench")
        with started(Path(name) / "bench", METIER_HOME=str(Path(name) / "home")) as server:
            streams = open_streams(server.address, job_id, key, count)
            time.sleep(3)
            over = threading.Event()

            def tell() -> None:
                write(folder, lines)
                time.sleep(2)
                over.set()

            writer = threading.Thread(target=tell)
            writer.start()
            seconds, got = read(streams, over)
            writer.join()
            status = refused(server.address, job_id, key) if count >= MOST_STREAMS else None
            for one in streams:
                one.close()
    seconds.sort()
    whole = all(one == Counter(range(lines)) for one in got)
    slow = seconds[int(0.99 * len(seconds))]
    print(
        f"{count} streams, {lines} lines: median {1000 * statistics.median(seconds):.0f} ms, 99th percentile "
        f"{1000 * slow:.0f} ms (bar {1000 * BAR_SECONDS:.0f} ms), most {1000 * seconds[-1]:.0f} ms; every stream got "
        f"every line once: {whole}" + (f"; one stream more: {status}" if status else "")
    )
    sys.exit(0 if slow <= BAR_SECONDS and whole and status in (None, 429) else 1)


if __name__ == "__main__":
    main()
