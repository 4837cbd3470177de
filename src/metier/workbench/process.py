"""A process that can be told from another that later got its number: pid, start time, and boot of the machine."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any


@cache
def boot_id() -> str:
    """Changes with each start of the machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def started_at(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None where there is none, or only its remains."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat[stat.rfind(")") + 2 :].split()
    return None if fields[0] in ("Z", "X") else int(fields[19])


def identity(pid: int | None = None) -> dict[str, Any]:
    """What names a process for good."""
    number = os.getpid() if pid is None else pid
    return {"pid": number, "started": started_at(number), "boot": boot_id()}


def is_alive(process: dict[str, Any]) -> bool:
    """Whether exactly this process still runs."""
    started = process.get("started")
    if not process.get("pid") or started is None or process.get("boot") != boot_id():
        return False
    return bool(started_at(int(process["pid"])) == started)
