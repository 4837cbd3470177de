"""What this machine has: processor, memory, accelerators, and the device and number format that suit them."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import psutil

Dtype = Literal["bfloat16", "float16", "float32"]
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}  # the last is ARM's


@dataclass(frozen=True, slots=True)
class Gpu:
    """One accelerator. memory: bytes."""

    name: str
    memory: int


@dataclass(frozen=True, slots=True)
class Hardware:
    """This machine.

    cpus, memory: processors and bytes that this process may use; cpu_flags: as the kernel names them; metal: Apple's.
    """

    cpus: int
    memory: int
    cpu_name: str
    cpu_flags: frozenset[str]
    gpus: tuple[Gpu, ...]
    metal: bool

    @property
    def cpu_bfloat16(self) -> bool:
        """Whether the processor multiplies bfloat16 in hardware; where it does not, float32 is many times faster."""
        return bool(self.cpu_flags & _BFLOAT16_FLAGS)


@cache
def hardware() -> Hardware:
    """Looks once, without importing torch."""
    name, flags = _processor()
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    metal = sys.platform == "darwin" and platform.machine() == "arm64"
    return Hardware(cpus, _memory(), name, flags, _nvidia_gpus(), metal)


def choose_device() -> str:
    """`cuda` (this process's own card under torchrun), `mps` or `cpu`, whichever torch can use."""
    import torch

    if torch.cuda.is_available():
        return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def choose_dtype(device: str) -> Dtype:
    """The number format for computing on `device`.

    CPU: bfloat16 only where the processor multiplies it in hardware. Metal: float32, right on every Apple processor.
    """
    kind = device.partition(":")[0]
    if kind == "cuda":
        import torch

        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    if kind == "cpu" and hardware().cpu_bfloat16:
        return "bfloat16"
    return "float32"


def _processor() -> tuple[str, frozenset[str]]:
    """Name and flags from /proc/cpuinfo (x86 says `flags`, ARM `Features`); empty flags on other systems."""
    name = platform.processor() or platform.machine()
    flags: frozenset[str] = frozenset()
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return name, flags
    for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = (part.strip() for part in line.partition(":"))
        if key == "model name":
            name = value
        elif key in ("flags", "Features"):
            return name, frozenset(value.split())
    return name, flags


def _memory() -> int:
    """Bytes of memory this process may use: the machine's, or less where a container limits it."""
    total = int(psutil.virtual_memory().total)
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        try:
            total = min(total, int(limit.read_text(encoding="ascii")))
        except (OSError, ValueError):  # absent, or the word `max`
            continue
    return total


def _nvidia_gpus() -> tuple[Gpu, ...]:
    """Cards that `nvidia-smi` lists, within CUDA_VISIBLE_DEVICES where that names them by number."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    query = [program, "--query-gpu=index,name,memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    rows = [[part.strip() for part in line.split(",")] for line in answer.splitlines() if line.count(",") == 2]
    gpus = {index: Gpu(name, int(mebibytes) << 20) for index, name, mebibytes in rows if mebibytes.isdigit()}
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return tuple(gpus.values())
    return tuple(gpus[index.strip()] for index in visible.split(",") if index.strip() in gpus)
