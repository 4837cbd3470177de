"""Checkpoints: whole folders with a manifest, found again newest first, those that do not verify passed over.

`checkpoints/step-000100/` holds the adapter (or model) as anybody can load it, `optimizer.safetensors`,
`rng.safetensors`, `trainer_state.json`, `state.json` (ours: position, scheduler, counters) and `manifest.json`.
Nothing in it is a pickle, so a checkpoint from elsewhere can be opened without running code.
"""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.core.errors import CorruptionError, RunError
from metier.core.events import EventLog
from metier.core.files import read_json, verify_manifest, whole_folder, write_json
from metier.core.i18n import translate

FOLDER = "checkpoints"
STATE = "state.json"
_NAME = re.compile(r"step-(\d+)")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that verified. step: optimiser steps done; state: the content of `state.json`."""

    folder: Path
    step: int
    state: dict[str, Any]

    @property
    def finished(self) -> bool:
        """Whether the training was over when this was written."""
        return bool(self.state["finished"])


def checkpoint_folder(folder: Path, step: int) -> Path:
    """Where the checkpoint of `step` lies in a training's folder."""
    return folder / FOLDER / f"step-{step:06d}"


def checkpoint_steps(folder: Path) -> list[int]:
    """Steps that have a checkpoint, ascending, whether or not it verifies."""
    root = folder / FOLDER
    names = [path.name for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    return sorted(int(match[1]) for name in names if (match := _NAME.fullmatch(name)))


@contextmanager
def writing(target: Path) -> Iterator[Path]:
    """Yields a folder that becomes `target` whole; a full disk is told in one line and leaves no half folder."""
    with telling_full_disk(target), whole_folder(target) as aside:
        yield aside


@contextmanager
def telling_full_disk(target: Path) -> Iterator[None]:
    """Turns the errors of a disk without room for `target` into one RunError."""
    try:
        yield
    except Exception as error:
        if _disk_full(error):
            free = shutil.disk_usage(_existing(target)).free
            raise RunError("train.disk_full", folder=target, free=f"{free / 1e6:,.0f} MB") from error
        raise


def write_state(folder: Path, state: dict[str, Any]) -> None:
    """Writes our part of the state; `finished` and `identity` are among its keys."""
    write_json(folder / STATE, state)


def newest_checkpoint(folder: Path, identity: str, events: EventLog) -> Checkpoint | None:
    """The newest checkpoint of the training `identity` that verifies; what cannot be used is removed and told."""
    remove_partial(folder)
    for step in reversed(checkpoint_steps(folder)):
        path = checkpoint_folder(folder, step)
        try:
            verify_manifest(path)
            state = read_json(path / STATE)
        except (CorruptionError, OSError, ValueError) as error:
            text = translate("train.checkpoint_damaged", step=step, reason=str(error))
            events.emit("warning", message=text, damaged_step=step)
            shutil.rmtree(path, ignore_errors=True)
            continue
        if state.get("identity") != identity:
            events.emit("warning", message=translate("train.checkpoint_of_other", step=step))
            shutil.rmtree(path, ignore_errors=True)
            continue
        return Checkpoint(path, step, state)
    return None


def read_checkpoint(folder: Path, step: int) -> Checkpoint:
    """The checkpoint of `step`, already verified by another process."""
    path = checkpoint_folder(folder, step)
    return Checkpoint(path, step, read_json(path / STATE))


def remove_partial(folder: Path) -> None:
    """Removes what a kill left while a checkpoint was being written or replaced."""
    root = folder / FOLDER
    for path in root.glob(".step-*") if root.is_dir() else ():
        shutil.rmtree(path, ignore_errors=True)


def remove_old(folder: Path, *, keep: int, best: int | None) -> None:
    """Keeps the `keep` newest checkpoints, and that of step `best`."""
    for step in checkpoint_steps(folder)[:-keep]:
        if step != best:
            shutil.rmtree(checkpoint_folder(folder, step), ignore_errors=True)


def _disk_full(error: BaseException) -> bool:
    # safetensors wraps the system's error in one of its own that keeps only the text.
    text = str(error)
    wrapped = "os error 28" in text or "os error 27" in text or "os error 122" in text
    return wrapped or (isinstance(error, OSError) and error.errno in _FULL)


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.absolute().parents) if parent.exists())
