"""The workbench under load: start with 10,000 finished jobs, authenticated reads a second, and how soon a server that
was killed has its live job again.

    python bench/web_server.py [--jobs 10000] [--seconds 10] [--clients 16] [--quick]

A server process on a data folder that this script fills; readers are threads of another process with connections that
stay open, each signed in with an API key, asking in turn for `/api/v1/me`, a page of jobs, one job, and the datasets.
Prints the seconds from start to the first answer, reads a second with their median and 99th percentile, how many
answers were errors of the server, and the seconds from a restart after kill -9 until a training of a tiny model that
went on meanwhile is running again by the API's word, with steps that were not there before.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.faults.children import give_model, training
from tests.faults.test_server import upload
from tests.support.bench import wait_for
from tests.support.server import started
from tests.support.tiny import tiny_llama

from metier.workbench.settings import WorkbenchSettings
from metier.workbench.store.tables import Job, now
from metier.workbench.workbench import Workbench

START_BAR, READS_BAR, SLOWEST_BAR, ADOPT_BAR = 3.0, 300, 0.150, 5.0


def fill(folder: Path, jobs: int) -> str:
    """An account with so many finished jobs; returns a key."""
    workbench = Workbench(WorkbenchSettings(folder=folder, devices=("cpu",)))
    owner = workbench.accounts.sign_up("li", "a good long password")
    _, key = workbench.accounts.create_key(owner, "bench")
    work = {"model_name_or_path": "smollm2-135m", "dataset": "medical_demo_en"}
    with workbench.database.write() as session:
        for number in range(jobs):
            ended = now() - timedelta(minutes=number)
            session.add(
                Job(
                    owner_id=owner.id, kind="train", title=f"Training {number}", spec={"asked": work, "work": work},
                    state="done", place=float(number), created=ended, started=ended, ended=ended,
                    summary={"final_loss": 0.5},
                )
            )  # fmt: skip
    workbench.close()
    return key


def reader(address: str, key: str, paths: list[str], seconds: float, out: list[tuple[float, int]]) -> None:
    """Asks until the time is over; notes seconds and status of each answer."""
    host = address.removeprefix("http://")
    connection = HTTPConnection(host, timeout=30)
    headers = {"Authorization": f"Bearer {key}"}
    end, turn = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        began = time.monotonic()
        connection.request("GET", paths[turn % len(paths)], headers=headers)
        answer = connection.getresponse()
        answer.read()
        out.append((time.monotonic() - began, answer.status))
        turn += 1


def readers(arguments: list[str]) -> None:
    """The reading process: prints its figures as JSON."""
    address, key, clients, seconds, *paths = arguments
    results: list[list[tuple[float, int]]] = [[] for _ in range(int(clients))]
    threads = [threading.Thread(target=reader, args=(address, key, paths, float(seconds), out)) for out in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.write(json.dumps([one for out in results for one in out]))


def adoption(folder: Path) -> float:
    """Seconds from the start of a new server until it tells of the old one's training as its own."""
    with started(folder) as server:
        client = server.client()
        upload(client)
        job = client.post("/api/v1/jobs", json={"kind": "train", "work": training(num_train_epochs=60)}).json()["id"]

        def steps() -> int:
            return len(client.get(f"/api/v1/jobs/{job}/curves").json()["steps"])

        wait_for(lambda: steps() > 20, 120)
        before = steps()
        server.kill()
    began = time.monotonic()
    with started(folder) as server:
        client = server.client()
        wait_for(lambda: client.get(f"/api/v1/jobs/{job}").json()["state"] == "running" and steps() > before, 60)
        seconds = time.monotonic() - began
        client.post(f"/api/v1/jobs/{job}/cancel")
        wait_for(lambda: client.get(f"/api/v1/jobs/{job}").json()["state"] == "cancelled", 60)
    return seconds


def main() -> None:
    if sys.argv[1:2] == ["readers"]:
        readers(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--quick", action="store_true", help="1,000 jobs, three seconds")
    given = parser.parse_args()
    jobs, seconds = (1000, 3.0) if given.quick else (given.jobs, given.seconds)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "bench"
        key = fill(folder, jobs)
        began = time.monotonic()
        with started(folder, METIER_HOME=str(Path(name) / "home")) as server:
            start = time.monotonic() - began
            print(f"start with {jobs} finished jobs: {start:.2f} s (bar {START_BAR} s)")
            connection = HTTPConnection(server.address.removeprefix("http://"))
            connection.request("GET", "/api/v1/jobs?limit=1", headers={"Authorization": f"Bearer {key}"})
            job = json.loads(connection.getresponse().read())["jobs"][0]["id"]
            paths = ["/api/v1/me", "/api/v1/jobs?limit=20", f"/api/v1/jobs/{job}", "/api/v1/datasets"]
            command = [
                sys.executable,
                __file__,
                "readers",
                server.address,
                key,
                str(given.clients),
                str(seconds),
                *paths,
            ]
            answers = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        os.environ.update(METIER_HOME=str(Path(name) / "home"), HF_HUB_OFFLINE="1")
        give_model(tiny_llama(Path(name) / "tiny"))
        adopted = adoption(Path(name) / "second")
    times = sorted(seconds for seconds, _ in answers)
    errors = sum(status >= 500 for _, status in answers)
    rate, slow = len(answers) / seconds, times[int(0.99 * len(times))]
    print(
        f"authenticated reads: {rate:.0f} a second (bar {READS_BAR}), median {1000 * statistics.median(times):.0f} ms, "
        f"99th percentile {1000 * slow:.0f} ms (bar {1000 * SLOWEST_BAR:.0f} ms), {errors} server errors"
    )
    print(f"kill -9 to the live job adopted, from the restart on: {adopted:.2f} s (bar {ADOPT_BAR} s)")
    quick_enough = (
        adopted <= ADOPT_BAR and start <= START_BAR and rate >= READS_BAR and slow <= SLOWEST_BAR and not errors
    )
    sys.exit(0 if quick_enough else 1)


if __name__ == "__main__":
    main()
