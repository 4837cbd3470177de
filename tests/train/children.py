"""Trainings in child processes that can be killed for real. Forked, so that torch need not be imported again."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable
from pathlib import Path


def start(work: Callable[[], object]) -> int:
    """Runs `work` in a child process and returns its id; the child's exit code is 0, or 1 if `work` raised."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def wait(child: int) -> int:
    """The exit code, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def signal_at_step(child: int, folder: Path, step: int, number: signal.Signals, *, seconds: float = 60) -> int:
    """Sends a signal to `child` once the training in `folder` has reported `step`; returns the exit code."""
    events = folder / "events.jsonl"
    mark = f'"step": {step},'
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if events.exists() and mark in events.read_text(encoding="utf-8"):
            os.kill(child, number)
            return wait(child)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    raise AssertionError(f"step {step} was not reached (exit code {wait(child)})")
