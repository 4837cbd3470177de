"""Kills the server and its jobs at random, with a seed, and checks after each kill that nothing was lost.

    python tools/kills.py [--kills 300] [--seed 7] [--folder FOLDER]

A server on a data folder of its own gets small trainings of a tiny random model. Each turn, after a random while, the
server, a job's process, or both are killed with -9; a killed server is started again. Checked, by the names of
invariants: I1 every acknowledged job and dataset is there; I2 each job is waiting, running or ended, and ends; I4 the
newest checkpoint that a job would go on from verifies; I5 no process of an ended attempt lives; I6 the database's
integrity; I8 a job that failed says why; and that each curve has every step once. The same for documents and
conversations: tools/kills_knowledge.py.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
from tests.faults.children import training
from tests.faults.test_server import upload
from tests.support.server import Server
from tests.support.tiny import tiny_llama

from metier.core.errors import CorruptionError
from metier.core.files import read_json, verify_manifest
from metier.models import add_model
from metier.train.checkpoints import checkpoint_folder, checkpoint_steps
from metier.workbench import layout
from metier.workbench.backends.local import of_token
from tools.trials import run_command

_LIVE = ("queued", "running", "stopping")


class Trial:
    """One server and the jobs that it was given."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.server = Server(folder)
        self.client = self.server.client()
        upload(self.client)
        self.jobs: list[str] = []

    def submit(self) -> None:
        """One more training, acknowledged."""
        work = training(num_train_epochs=2, save_steps=15, seed=len(self.jobs))
        answer = self.client.post("/api/v1/jobs", json={"kind": "train", "work": work})
        answer.raise_for_status()
        self.jobs.append(answer.json()["id"])

    def states(self) -> dict[str, dict[str, Any]]:
        """Every job as the server tells it."""
        return {job: self.client.get(f"/api/v1/jobs/{job}").json() for job in self.jobs}

    def kill(self) -> str:
        """Kills something, and says what."""
        what = self.chance.choice(("server", "job", "job", "both"))
        if what in ("job", "both"):
            self._kill_child()
        if what in ("server", "both"):
            self.server.kill()
            if self.chance.random() < 0.3:
                self._kill_child()  # while nobody looks after it
            self.server = Server(self.folder)
            self.client = self.server.client()
        return what

    def _kill_child(self) -> None:
        for path in sorted((self.folder / "jobs").glob(f"*/{layout.CHILD}")):
            for pid in of_token(str(read_json(path)["token"])):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    def check(self) -> list[str]:
        """What does not hold."""
        wrong = []
        states = self.states()
        if self.client.get("/api/v1/datasets/cases").status_code != 200:
            wrong.append("I1: the dataset is gone")
        for job, state in states.items():
            name = state.get("state")
            if name not in (*_LIVE, "done", "failed", "cancelled"):
                wrong.append(f"I2: {job} is {name}: {state}")
            if name == "failed" and not state["reason"]:
                wrong.append(f"I8: {job} failed without a reason")
            wrong += self._check_files(job, str(name))
        with sqlite3.connect(self.folder / "metier.db") as database:
            found = database.execute("PRAGMA integrity_check").fetchone()[0]
            if found != "ok" or database.execute("PRAGMA foreign_key_check").fetchall():
                wrong.append(f"I6: {found}")
        return wrong

    def _check_files(self, job: str, state: str) -> list[str]:
        folder = self.folder / "jobs" / job
        wrong = []
        step = folder / layout.RUN / "steps" / "train"
        verified = [at for at in checkpoint_steps(step) if _verifies(checkpoint_folder(step, at))]
        if checkpoint_steps(step) and not verified:
            wrong.append(f"I4: no checkpoint of {job} verifies")
        token = read_json(folder / layout.CHILD)["token"] if (folder / layout.CHILD).is_file() else ""
        if state in ("done", "failed", "cancelled") and of_token(token):
            wrong.append(f"I5: a process of {job} outlives it")
        if state == "done":
            steps = self.client.get(f"/api/v1/jobs/{job}/curves").json()["steps"]
            if steps != list(range(1, 81)):
                wrong.append(f"curve of {job}: {len(steps)} of 80 steps")
        return wrong

    def settle(self, seconds: float) -> list[str]:
        """Waits until every job has ended; those that had their three attempts go on once more by hand."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            states = self.states()
            for job, state in states.items():
                if state["state"] == "failed":
                    self.client.post(f"/api/v1/jobs/{job}/resume").raise_for_status()
            if all(state["state"] == "done" for state in states.values()):
                return []
            time.sleep(0.5)
        return [f"I2: {job} is {state['state']}" for job, state in self.states().items() if state["state"] != "done"]


def _verifies(folder: Path) -> bool:
    try:
        verify_manifest(folder)
    except CorruptionError:
        return False
    return True


def run(folder: Path, kills: int, seed: int) -> list[str]:
    """The whole trial; returns what did not hold."""
    trial = Trial(folder, seed)
    wrong: list[str] = []
    try:
        for number in range(1, kills + 1):
            live = sum(state["state"] in _LIVE for state in trial.states().values())
            while live < 3:
                trial.submit()
                live += 1
            time.sleep(trial.chance.uniform(0.0, 6.0))
            what = trial.kill()
            found = trial.check()
            wrong += found
            line = f"kill {number}: {what}; {len(trial.jobs)} jobs" + "".join(f"\n  {one}" for one in found)
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        wrong += trial.settle(900)
        wrong += trial.check()
    except httpx.HTTPError as error:
        wrong.append(f"I7: a request failed: {error!r}")
    finally:
        trial.server.kill()
        trial._kill_child()
    return wrong


if __name__ == "__main__":
    run_command(
        __doc__, run, kills=300, prepare=lambda folder: add_model(str(tiny_llama(folder / "tiny")), name="tiny")
    )
