"""Estimates for configurations: asked of a process that holds torch, so that the server need not, and remembered."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from select import select
from typing import IO, Any

from metier.core.files import fingerprint
from metier.core.i18n import current_language
from metier.data.entries import shipped_entries
from metier.data.several import names_in
from metier.evaluate.proof.questions import questions_file, read_questions, shipped_questions
from metier.models.hardware import hardware
from metier.workbench.accounts import Person
from metier.workbench.backends.base import Backend
from metier.workbench.backends.local import clean_environment
from metier.workbench.datasets import Datasets
from metier.workbench.errors import UnavailableError
from metier.workbench.jobs import Jobs
from metier.workbench.proofs import effort
from metier.workbench.records import Records
from metier.workbench.work import ON_DEVICE, check_work

Freeze = Callable[[Person, str, dict[str, Any], Path | None], dict[str, Any]]
_SECONDS = 120.0  # that an estimate may take
_WAIT_SECONDS = 20.0  # for another one to be ready
_LIGHT_MINUTES = [0.1, 5.0]  # of a step that reads files: seconds, or some minutes with large ones
_PLACES = 6  # requests that wait at the same time; further ones come back a little later
_KEPT = 128
_EARLIER = 20  # finished runs that are looked through for a speed


class Planner:
    """Makes estimates, one at a time."""

    def __init__(
        self, freeze: Freeze, datasets: Datasets, jobs: Jobs, records: Records, backend: Backend, *,
        draining: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._freeze = freeze
        self._datasets = datasets
        self._jobs = jobs
        self._records = records
        self._backend = backend
        self._draining = draining  # a server that stops waits for no estimate
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(_PLACES)
        self._child: subprocess.Popen[bytes] | None = None
        self._known: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def estimate(self, owner: Person, kind: str, work: Mapping[str, Any], *, devices: int = 1) -> dict[str, Any]:
        """What a recipe, training or prediction would see and need; `problem` where that cannot be said.

        The other steps read files and take no device: for them there is only a time.
        Raises ConfigError for a wrong configuration, NotFoundError for what is not the owner's, UnavailableError while
        another estimate takes long.
        """
        checked = check_work(kind, work)
        frozen = self._freeze(owner, kind, checked, None)
        if kind not in ON_DEVICE:
            return {"minutes": _LIGHT_MINUTES, "device": False}
        if kind == "prove":
            return self._proof(owner, checked, frozen)
        return self._answered({**self._request(owner, kind, checked, frozen), "devices": devices})

    def _answered(self, request: dict[str, Any]) -> dict[str, Any]:
        request["language"] = current_language()
        key = fingerprint(request)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        answer = self._ask(request)
        if "problem" not in answer:
            self._known[key] = answer
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return answer

    def _proof(self, owner: Person, asked: dict[str, Any], frozen: dict[str, Any]) -> dict[str, Any]:
        """How much a proof asks, and the minutes of it where its model is of this machine."""
        name = asked["questions"]
        shipped = name in shipped_questions()
        rows = len(read_questions(questions_file(Path(name)))) if shipped else self._datasets.get(owner, name).rows
        found = effort(frozen, rows)
        model = frozen["specialist"]["model_name_or_path"]
        if frozen["specialist"]["server"] is not None:
            return found
        told = self._answered({
            "parts": found["parts"],
            "train": {"model_name_or_path": frozen["files"][model]["model"], "lora_rank": 1},
            "machine": self._machine(),
            "devices": 1,
        })  # fmt: skip
        return {**told, **found}

    def _request(self, owner: Person, kind: str, asked: dict[str, Any], frozen: dict[str, Any]) -> dict[str, Any]:
        if kind in ("predict", "score"):
            return self._answering(owner, asked, frozen, nested=kind == "score")
        recipe = kind == "recipe"
        train = dict(frozen["train"] if recipe else frozen)
        data = asked.get("data") or {}
        request: dict[str, Any] = {
            "train": {**train, "dataset_dir": None, "eval_dataset": None, "eval_steps": None, "load_best": False,
                      "early_stopping_patience": None},
            "sets": list(self._sets(owner, data["train"] if recipe else asked["dataset"])),
            "machine": self._machine(),
            "measured": self._measured(owner, asked["train"] if recipe else asked),
        }  # fmt: skip
        if not recipe:
            return request
        predict, guard = frozen["predict"], frozen["guard"]
        test_rows = self._rows(owner, data["test"]) if data.get("test") else data["test_rows"]
        asked_rows = [(min(test_rows, predict.get("max_samples") or test_rows), predict["max_new_tokens"])]
        if data.get("guard"):
            rows = self._rows(owner, data["guard"])
            asked_rows.append((min(rows, guard.get("max_samples") or rows), guard["max_new_tokens"]))
        return {
            **request,
            "predict": {**predict, "dataset_dir": None},
            "test_rows": test_rows,
            "kept_away": 0 if data.get("test") else data["test_rows"],
            "asked": asked_rows,
        }

    def _answering(
        self, owner: Person, asked: dict[str, Any], frozen: dict[str, Any], *, nested: bool
    ) -> dict[str, Any]:
        """A prediction: no training, the rows of its set answered once, or by two models."""
        predict, named = (frozen["predict"], asked["predict"]) if nested else (frozen, asked)
        rows = self._rows(owner, named["dataset"])
        rows = min(rows, predict.get("max_samples") or rows)
        shared = {key: predict[key] for key in ("model_name_or_path", "template", "cutoff_len", "enable_thinking")}
        return {
            "train": {**shared, "lora_rank": 1},
            "sets": list(self._sets(owner, named["dataset"])),
            "machine": self._machine(),
            "measured": None,
            "predict": {**predict, "dataset_dir": None},
            "test_rows": rows,
            "asked": [(rows, predict["max_new_tokens"])],
            "times": 2 if asked.get("base_model_name_or_path") else 1,
            "training": False,
        }

    def _sets(self, owner: Person, reference: str) -> Iterator[dict[str, Any]]:
        """The files of a set, or of several, and how they are read."""
        for name in names_in(reference):
            if name in shipped_entries():
                yield {"reference": name}
                continue
            row, file, entry = self._datasets.find(owner, name)
            columns = entry.get("columns") or None
            how = {"columns": columns, "format": None if columns else row.details["format"]}
            how["pictures"] = str(self._datasets.pictures_of(row).resolve())
            yield {"reference": str(file.resolve()), "rows": row.rows, **how}

    def _rows(self, owner: Person, reference: str) -> int:
        from metier.data import load_dataset

        count = 0
        for name in names_in(reference):
            shipped = name in shipped_entries()
            count += len(load_dataset(name)) if shipped else self._datasets.get(owner, name).rows
        return count

    def _machine(self) -> dict[str, Any]:
        gpus = hardware().gpus
        if not any(device.startswith("cuda") for device in self._backend.devices()) or not gpus:
            return {"gpu": False, "name": "", "memory": hardware().memory}
        smallest = min(gpus, key=lambda gpu: gpu.memory)
        return {"gpu": True, "name": smallest.name, "memory": smallest.memory}

    def _measured(self, owner: Person, train: Mapping[str, Any]) -> float | None:
        """Tokens a second of the newest finished training of the same kind on this machine."""
        same = ("model_name_or_path", "finetuning_type", "dtype", "engine", "packing", "gradient_checkpointing")
        for job in self._jobs.page(owner, states=("done",), kinds=("train", "recipe"), limit=_EARLIER).jobs:
            before = job.spec["asked"].get("train", {}) if job.kind == "recipe" else job.spec["asked"]
            if all(before.get(key) == train.get(key) for key in same):
                speeds = self._records.curves(owner, job.id, most=200)["tokens_per_second"]
                if known := [float(one) for one in speeds if one]:
                    return statistics.median(known)
        return None

    def wake(self) -> None:
        """Starts the process, which takes seconds, before the first estimate is asked for."""
        if self._lock.acquire(blocking=False):
            try:
                self._living()
            finally:
                self._lock.release()

    # The child

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self._places.acquire(blocking=False):
            raise UnavailableError("workbench.plan_busy")
        try:
            return self._ask_in_turn(request)
        finally:
            self._places.release()

    def _ask_in_turn(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self._lock.acquire(timeout=_WAIT_SECONDS):
            raise UnavailableError("workbench.plan_busy")
        try:
            for _ in range(2):  # a child that went to rest is started again
                child = self._living()
                try:
                    assert child.stdin is not None and child.stdout is not None  # noqa: S101 - both are pipes
                    child.stdin.write(json.dumps(request).encode() + b"\n")
                    child.stdin.flush()
                    if self._has_answer(child.stdout) and (line := child.stdout.readline()):
                        return dict(json.loads(line))
                except (OSError, ValueError):
                    pass
                self._end()
            raise UnavailableError("workbench.plan_busy")
        finally:
            self._lock.release()

    def _has_answer(self, answers: IO[bytes]) -> bool:
        """Waits for an answer. Raises UnavailableError where the server stops meanwhile."""
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            if select([answers], [], [], 0.25)[0]:
                return True
            if self._draining():
                self._end()
                raise UnavailableError("workbench.draining")
        return False

    def _living(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "metier.workbench.planchild"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**clean_environment(), "CUDA_VISIBLE_DEVICES": ""},
            )
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        child.wait()

    def close(self) -> None:
        """Ends the process."""
        self._end()
