"""The server's side of a process with a chat's models: what it is told, what it says, and how it ends."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from metier.workbench.backends.local import TOKEN, clean_environment
from metier.workbench.chatmodels import Weights
from metier.workbench.store.tables import new_id, now

_log = logging.getLogger("metier.workbench")
Event = Callable[[dict[str, Any]], None]
_CUT = {"event": "end", "state": "cut"}


class ChatHost:
    """One person's loaded models, side → weights.

    state: `waiting` for a device, `loading`, `ready`, `failed` (with `reason`), or `gone`; stage: of the loading;
    asked: when it was wanted; since: when the state began (monotonic seconds); ended: called once when it has ended.
    """

    def __init__(self, owner_id: str, weights: dict[str, Weights], *, ended: Callable[[ChatHost], None]) -> None:
        self.id = new_id()
        self.owner_id = owner_id
        self.weights = weights
        self.state = "waiting"
        self.stage = ""
        self.reason: dict[str, Any] | None = None
        self.devices: list[str] = []
        self.sides: dict[str, dict[str, Any]] = {}
        self.asked: datetime = now()
        self.since = time.monotonic()
        self._ended = ended
        self._ending = False
        self._process: subprocess.Popen[str] | None = None
        self._answers: dict[str, Event] = {}
        self._pending: list[dict[str, Any]] = []
        self._lock = threading.RLock()

    @property
    def references(self) -> tuple[str, ...]:
        """What it was asked to load."""
        return tuple(one.reference for one in self.weights.values())

    @property
    def token(self) -> str:
        """What marks its process, so that it can be found again after the server was killed."""
        return process_token(self.id)

    @property
    def is_live(self) -> bool:
        """Whether it has its models, or will."""
        return self.state in ("waiting", "loading", "ready")

    @property
    def busy(self) -> bool:
        """Whether an answer is asked for or being written."""
        return bool(self._answers)

    @property
    def idle_seconds(self) -> float:
        """For how long nobody has asked it anything."""
        return 0.0 if self.busy or self.state != "ready" else time.monotonic() - self.since

    def start(self, devices: Sequence[str]) -> None:
        """Starts the process on the devices that it was given."""
        shown = [device.partition(":")[2] for device in devices if device.startswith("cuda:")]
        quiet = {"PYTHONWARNINGS": "ignore", "TRANSFORMERS_VERBOSITY": "error"}
        with self._lock:
            self.devices = list(devices)
            self._turn("loading", "starting")
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "metier.workbench.chathost"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    encoding="utf-8",
                    start_new_session=True,
                    env={**clean_environment(), **quiet, "CUDA_VISIBLE_DEVICES": ",".join(shown), TOKEN: self.token},
                )
            except OSError as error:
                problem = error
            else:
                self._say({"do": "load", "models": {side: one.to_json() for side, one in self.weights.items()}})
                threading.Thread(target=self._listen, args=(self._process,), name="chat", daemon=True).start()
                return
        self._gone("failed", {"key": "workbench.reason_no_start", "fields": {"problem": str(problem)}})

    def answer(self, command: dict[str, Any], on_event: Event) -> None:
        """Asks for an answer, now or once the models are loaded. on_event: told `piece`s and at last one `end`."""
        with self._lock:
            if self.is_live:
                self._answers[command["id"]] = on_event
                if self.state == "ready":
                    self._say({"do": "answer", **command})
                else:
                    self._pending.append(command)
                return
        on_event({**_CUT, "reason": self.reason})

    def stop_answer(self, answer_id: str) -> None:
        """Ends an answer; what was said until then stays."""
        with self._lock:
            waiting = [one for one in self._pending if one["id"] == answer_id]
            self._pending = [one for one in self._pending if one["id"] != answer_id]
            on_event = self._answers.pop(answer_id, None) if waiting else None
            if answer_id in self._answers:
                self._say({"do": "stop", "id": answer_id})
        if on_event is not None:
            on_event({"event": "end", "state": "stopped"})

    def end(self) -> None:
        """Ends the process, whatever it does: it has nothing to save."""
        self._ending = True
        process = self._process
        if process is not None and process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=20)
        self._gone("gone", None)

    def _say(self, command: dict[str, Any]) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with suppress(BrokenPipeError):  # it has died: its output ends too, and whoever listens there tells it
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            try:
                self._hear(json.loads(line))
            except (ValueError, KeyError):
                _log.warning("a chat's process said something that is not understood", exc_info=True)
        ending = process.wait()
        if self._ending:
            return
        key = "workbench.chat_killed" if ending == -signal.SIGKILL else "workbench.chat_died"
        self._gone("failed", self.reason or {"key": key, "fields": {}})

    def _hear(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind in ("piece", "end"):
            with self._lock:
                on_event = self._answers.get(event["id"])
                if kind == "end":
                    self._answers.pop(event["id"], None)
                    self.since = time.monotonic()
            if on_event is not None:
                on_event(event)
        elif kind == "stage":
            self.stage = event["stage"]
        elif kind == "failed":
            self.reason = event["reason"]
        elif kind == "ready":
            with self._lock:
                self.sides = event["sides"]
                self._turn("ready")
                pending, self._pending = self._pending, []
                for command in pending:
                    self._say({"do": "answer", **command})

    def _gone(self, state: str, reason: dict[str, Any] | None) -> None:
        """Whatever was being written ends here."""
        with self._lock:
            if not self.is_live:
                return
            self._turn(state)
            self.reason = reason
            cut, self._answers, self._pending = list(self._answers.values()), {}, []
        for on_event in cut:
            on_event({**_CUT, "reason": reason})
        self._ended(self)

    def _turn(self, state: str, stage: str = "") -> None:
        self.state, self.stage, self.since = state, stage, time.monotonic()


def process_token(host_id: str) -> str:
    """The mark in the environment of a host's process."""
    return f"chat-{host_id}"
