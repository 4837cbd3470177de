"""Runs side by side: their scores, curves and configurations, and two models' answers row by row."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from metier.core.files import read_json, sha256_file
from metier.workbench import pairing
from metier.workbench.accounts import Person
from metier.workbench.answers import Variant, answers_file, find_variant, variants
from metier.workbench.artifacts import Artifacts
from metier.workbench.backends.local import clean_environment
from metier.workbench.errors import ConflictError
from metier.workbench.jobs import Jobs
from metier.workbench.store.tables import Job
from metier.workbench.work import STEPS

MOST_RUNS = 6
SHOWN = ("all", "different", "left", "right", "tie")
_PAGE = 10
_LEFT_OUT = ("title", "name")  # of a recipe: they say nothing about how it was made


@dataclass(frozen=True)
class Pair:
    """Two models' answers. found: `pair.json`, or None while it is being made."""

    left: Variant
    right: Variant
    found: Mapping[str, Any] | None
    folder: Path

    @property
    def problem(self) -> Mapping[str, Any] | None:
        """Why the two were not scored against each other: a message's key and fields."""
        return (self.found or {}).get("problem")

    @property
    def compared(self) -> Mapping[str, Any] | None:
        """What `metier.evaluate` says of the pair."""
        return (self.found or {}).get("compared")

    @property
    def rows(self) -> int:
        """How many rows both answered."""
        return int((self.found or {}).get("rows", 0))


@dataclass(frozen=True)
class Rows:
    """A page of rows. numbers: how many there are by what is shown; next: `after` of the following page or None."""

    rows: list[dict[str, Any]]
    numbers: dict[str, int]
    next: int | None


class Comparisons:
    """Compares an owner's runs. folder: where pairs are kept, each until one of its two runs is removed."""

    def __init__(self, jobs: Jobs, artifacts: Artifacts, folder: Path) -> None:
        self._jobs = jobs
        self._artifacts = artifacts
        self._folder = folder
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="pairs")
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[None]] = {}
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False
        jobs.removed.append(self.forget)

    def close(self) -> None:
        """Stops what is being compared."""
        self._closed = True
        self._worker.shutdown(wait=False, cancel_futures=True)
        if (child := self._child) is not None:
            child.kill()

    def runs(self, owner: Person, ids: Sequence[str]) -> list[Job]:
        """The runs that ids name, in that order. Raises NotFoundError, and ConflictError for too many."""
        named = list(dict.fromkeys(ids))
        if len(named) > MOST_RUNS:
            raise ConflictError("workbench.compare_too_many", most=MOST_RUNS)
        return [self._jobs.get(owner, one) for one in named]

    def variants(self, owner: Person, jobs: Sequence[Job]) -> list[Variant]:
        """Their models, in order."""
        return [one for job in jobs for one in variants(self._artifacts, owner, job)]

    # Pairs

    def pair(self, owner: Person, left: str, right: str, *, wait_seconds: float = 0.0) -> Pair:
        """Two variants' answers side by side, by their keys; made aside where they are not there yet.

        Raises NotFoundError for what is not the owner's, ConflictError where one has no answers or making it failed.
        """
        sides = [self._variant(owner, key) for key in (left, right)]
        for one in sides:
            if one.answers is None:
                raise ConflictError("workbench.compare_no_answers", title=one.job.title)
        left_file, right_file = (answers_file(self._artifacts.jobs, str(one.answers)) for one in sides)
        files = (left_file, right_file)
        name = _name(sides, files)
        folder = self._folder / name
        if not (folder / pairing.PAIR).is_file():
            self._make(name, files, wait_seconds)
        found = read_json(folder / pairing.PAIR) if (folder / pairing.PAIR).is_file() else None
        return Pair(sides[0], sides[1], found, folder)

    def rows(self, pair: Pair, *, show: str = "all", after: int = 0, limit: int = _PAGE) -> Rows:
        """A page of a pair's rows. show: one of `SHOWN`; after: how many to pass over."""
        index = (pair.found or {}).get("index") or {"better": [], "same": [], "offsets": []}
        chosen = {name: _chosen(index, name) for name in SHOWN}
        places = chosen.get(show, chosen["all"])
        some = places[max(0, after) : max(0, after) + max(1, min(limit, 200))]
        following = max(0, after) + len(some)
        return Rows(
            [self.row(pair, place) for place in some],
            {name: len(one) for name, one in chosen.items()},
            following if following < len(places) else None,
        )

    def row(self, pair: Pair, place: int) -> dict[str, Any]:
        """One row: `place`, `row`, `prompt`, `label`, `left`, `right`, `scores`, `better`, `same`; `images`
        and `source` where it asks about pictures."""
        index = (pair.found or {})["index"]
        with (pair.folder / pairing.ROWS).open("rb") as source:
            source.seek(index["offsets"][place])
            record = json.loads(source.readline())
        return {"place": place, **record, "better": index["better"][place], "same": index["same"][place]}

    def forget(self, job_id: str) -> None:
        """Removes every pair that a run's answers are in."""
        for path in self._folder.glob(f"*{job_id}*"):
            shutil.rmtree(path, ignore_errors=True)

    def clear_away(self) -> None:
        """Removes pairs of runs that are gone, and what a kill left half-made."""
        with self._jobs.database.read() as session:
            known = set(session.scalars(select(Job.id)))
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            left, _, rest = path.name.partition("--")
            ids = {left.partition(".")[0], rest.partition(".")[0]}
            if path.name.startswith(".") or not ids <= known:
                shutil.rmtree(path, ignore_errors=True)

    def _variant(self, owner: Person, key: str) -> Variant:
        job = self._jobs.get(owner, key.partition(".")[0])
        return find_variant(self._artifacts, owner, job, key)

    def _make(self, name: str, files: tuple[Path, Path], wait_seconds: float) -> None:
        """Sees to it that the pair is being made. Raises what went wrong, once."""
        with self._lock:
            task = self._under_way.get(name)
            if task is None:
                task = self._under_way[name] = self._worker.submit(self._work, name, files)
        try:
            task.result(timeout=wait_seconds)
        except TimeoutError:
            return
        finally:
            if task.done():
                with self._lock:
                    self._under_way.pop(name, None)

    def _work(self, name: str, files: tuple[Path, Path]) -> None:
        target = self._folder / name
        command = [sys.executable, "-m", "metier.workbench.pairing", *map(str, files), str(target)]
        environment = {**clean_environment(), "OMP_NUM_THREADS": "1"}
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        if self._closed:
            self._child.kill()
        try:
            code = self._child.wait(timeout=2 * pairing.SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            code = self._child.wait()
        finally:
            self._child = None
        if not all(file.is_file() for file in files):  # removed meanwhile: nothing of them may stay
            shutil.rmtree(target, ignore_errors=True)
        elif code != 0:
            raise ConflictError("workbench.compare_failed", code=code)


def differences(jobs: Sequence[Job]) -> list[tuple[str, list[Any]]]:
    """The keys that several runs have and whose values differ, with each run's value; None where a run has no such
    key."""
    flat = [_flat(job) for job in jobs]
    counts = Counter(key for one in flat for key in one)
    table = [(key, [one.get(key) for one in flat]) for key, count in counts.items() if count > 1]
    return [(key, values) for key, values in table if any(value != values[0] for value in values)]


def _flat(job: Job) -> dict[str, Any]:
    """A run's work as `train.learning_rate` → value, whether it is a recipe or one step."""
    found: dict[str, Any] = {}

    def walk(values: Mapping[str, Any], prefix: str) -> None:
        for key, value in values.items():
            if isinstance(value, dict) and value:
                walk(value, f"{prefix}{key}.")
            else:
                found[f"{prefix}{key}"] = value

    asked = job.spec["asked"]
    if job.kind not in STEPS:
        walk({key: value for key, value in asked.items() if key not in _LEFT_OUT}, "")
    else:
        walk(asked, f"{job.kind}.")
    return found


def _chosen(index: Mapping[str, list[Any]], show: str) -> list[int]:
    if show == "all":
        return list(range(len(index["same"])))
    if show == "different":
        return [place for place, same in enumerate(index["same"]) if not same]
    return [place for place, better in enumerate(index["better"]) if better == show]


def _name(sides: Sequence[Variant], files: Sequence[Path]) -> str:
    """A pair's folder: whose answers, and of which state of them."""
    stamp = "".join(sha256_file(file.with_name("done.json"))[:8] for file in files)
    left, right = (str(one.answers).replace("/", ".") for one in sides)
    return f"{left}--{right}--{stamp}"
