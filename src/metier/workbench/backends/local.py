"""Jobs as processes of this machine, each the head of a group of its own, so that nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from metier.core.files import read_json
from metier.models.hardware import hardware
from metier.workbench import layout
from metier.workbench.process import identity, is_alive

TOKEN = "METIER_JOB_TOKEN"  # noqa: S105 - a variable's name

# What a child may see of the server's environment. Tokens, keys and the database's address are not among it.
_PASSED = (
    "PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH",
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "HF_HOME", "HF_HUB_OFFLINE", "HF_HUB_CACHE",
    "PIP_INDEX_URL", "PIP_CONFIG_FILE",
    "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "SSL_CERT_FILE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY",
    "METIER_HOME", "METIER_OFFLINE", "METIER_HUB", "METIER_LANGUAGE",
)  # fmt: skip


class LocalBackend:
    """Processes of this machine. given: the devices to use, all of them where left out."""

    def __init__(self, given: Sequence[str] = ()) -> None:
        self._given = list(given)
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def devices(self) -> list[str]:
        """`cuda:0`, … or `cpu`."""
        return self._given or [f"cuda:{number}" for number in range(len(hardware().gpus))] or ["cpu"]

    def start(self, folder: Path, token: str, devices: Sequence[str], environment: dict[str, str]) -> dict[str, Any]:
        """Starts the child in a session of its own: it outlives the server."""
        shown = [device.partition(":")[2] for device in devices if device.startswith("cuda:")]
        child = subprocess.Popen(
            [sys.executable, "-m", "metier.workbench.child", str(folder.resolve()), token],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            close_fds=True,
            cwd=folder,
            env={**clean_environment(), "CUDA_VISIBLE_DEVICES": ",".join(shown), **environment, TOKEN: token},
        )
        self._children[child.pid] = child
        return {**identity(child.pid), "token": token}

    def find(self, folder: Path, token: str) -> dict[str, Any] | None:
        """The child that says in its folder that it does this attempt, if it lives."""
        try:
            said = read_json(folder / layout.CHILD)
        except (OSError, ValueError):
            return None
        return said if said.get("token") == token and is_alive(said) else None

    def is_alive(self, process: dict[str, Any]) -> bool:
        """Whether it runs; its remains, if it was ours, are cleared away."""
        child = self._children.get(int(process.get("pid") or 0))
        if child is not None and child.poll() is not None:
            return False
        return is_alive(process)

    def stop(self, process: dict[str, Any], *, now: bool = False) -> None:
        """Asks the process; with `now`, kills it and all that it started, never one that merely has its number."""
        if not now:
            if is_alive(process):
                _signal(int(process["pid"]), signal.SIGTERM)
            return
        # torchrun's workers lead sessions of their own, but all carry the attempt's token in their environment.
        for pid in of_token(str(process.get("token") or "")):
            _signal(pid, signal.SIGKILL)

    def ending(self, process: dict[str, Any]) -> int | None:
        """The exit code of a child of this server; unknown for an adopted one."""
        child = self._children.get(int(process.get("pid") or 0))
        return child.poll() if child is not None else None


def of_token(token: str) -> list[int]:
    """The living processes of an attempt: those with its token in their environment."""
    wanted = f"{TOKEN}={token}".encode()
    found = []
    for path in Path("/proc").iterdir() if token else ():
        if path.name.isdigit():
            with suppress(OSError):
                if wanted in (path / "environ").read_bytes().split(b"\0"):
                    found.append(int(path.name))
    return found


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def clean_environment() -> dict[str, str]:
    """What a child process sees of the server's environment."""
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {**passed, "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1"}
