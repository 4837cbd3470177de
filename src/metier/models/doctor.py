"""`metier doctor`: what this machine can do, and what is missing, each with the next step."""

from __future__ import annotations

import importlib.util
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from metier.core.i18n import translate
from metier.core.settings import settings
from metier.models.catalogue import find
from metier.models.hardware import hardware
from metier.models.nohub import offline
from metier.models.store import stored_models

Level = Literal["ok", "warn", "missing"]
_DEFAULT_MODEL = "smollm2-135m"
_DEMO_MEMORY = 4_000_000_000  # bytes resident that the demo may take
_DEMO_DISK = 3_000_000_000  # bytes of the default model, its package and a run
_OPTIONAL = {"tensorboard": "metier[trackers]", "swanlab": "metier[trackers]", "modelscope": "metier[hubs]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. next_step: what to do about it, None where nothing is to be done."""

    level: Level
    title: str
    detail: str
    next_step: str | None = None


def doctor() -> list[Finding]:
    """Looks at Python, torch, number formats, memory, disk, GPUs, the network's place, packages and models."""
    findings: list[Finding] = []
    checks: list[Callable[[], list[Finding]]] = [
        _python,
        _torch,
        _processor,
        _memory,
        _disk,
        _gpus,
        _network,
        _default_model,
        _store,
        _packages,
    ]
    for check in checks:
        findings += check()
    return findings


def _python() -> list[Finding]:
    return [_finding("ok", "python", f"{platform.python_version()}, {platform.system()} {platform.machine()}")]


def _torch() -> list[Finding]:
    found = []
    for package in ("torch", "transformers", "peft", "accelerate", "gguf"):
        number = _version(package)
        if number is None:
            found.append(_finding("missing", "package", "–", package=package, next_step="package", install=package))
        else:
            found.append(_finding("ok", "package", number, package=package))
    return found


def _processor() -> list[Finding]:
    machine = hardware()
    detail = _say("processor_has", name=machine.cpu_name, cpus=machine.cpus)
    if machine.cpu_bfloat16:
        return [_finding("ok", "processor", _say("bfloat16", processor=detail))]
    # Not a fault: float32 is simply what this processor is good at.
    return [_finding("ok", "processor", _say("float32", processor=detail))]


def _memory() -> list[Finding]:
    total = hardware().memory
    if total < _DEMO_MEMORY:
        return [_finding("warn", "memory", _gigabytes(total), next_step="memory", needed=_gigabytes(_DEMO_MEMORY))]
    return [_finding("ok", "memory", _gigabytes(total))]


def _disk() -> list[Finding]:
    found = []
    for title, path in (("disk_home", settings().home), ("disk_runs", settings().runs)):
        existing = next(parent for parent in (path.resolve(), *path.resolve().parents) if parent.exists())
        free = shutil.disk_usage(existing).free
        detail = _say("disk_free", free=_gigabytes(free), folder=path)
        if free < _DEMO_DISK:
            found.append(_finding("warn", title, detail, next_step="disk", needed=_gigabytes(_DEMO_DISK)))
        else:
            found.append(_finding("ok", title, detail))
    return found


def _gpus() -> list[Finding]:
    gpus = hardware().gpus
    if not gpus:
        detail = _say("metal") if hardware().metal else _say("no_gpu")
        return [_finding("ok", "gpu", detail)]
    detail = "; ".join(f"{gpu.name}, {_gigabytes(gpu.memory)}" for gpu in gpus)
    if not _torch_has_cuda():
        return [_finding("warn", "gpu", detail, next_step="gpu")]
    return [_finding("ok", "gpu", detail)]


def _network() -> list[Finding]:
    if settings().offline or offline():
        return [_finding("ok", "network", _say("offline"))]
    return [_finding("ok", "network", _say("online", hub=settings().hub))]


def _default_model() -> list[Finding]:
    entry = find(_DEFAULT_MODEL)
    here = [model for model in stored_models() if model.name == _DEFAULT_MODEL]
    if here:
        return [_finding("ok", "default_model", str(here[0].folder))]
    title = entry.title if entry else _DEFAULT_MODEL
    return [_finding("warn", "default_model", _say("not_here", model=title), next_step="default_model")]


def _store() -> list[Finding]:
    found = []
    for model in stored_models():
        if model.linked and not model.folder.is_dir():
            detail = _say("gone", folder=model.folder)
            found.append(_finding("missing", "model", detail, name=model.name, next_step="gone", model=model.name))
        elif model.name != _DEFAULT_MODEL:
            found.append(_finding("ok", "model", f"{_gigabytes(model.size_bytes)}, {model.folder}", name=model.name))
    return found


def _packages() -> list[Finding]:
    found = []
    for package, extra in _OPTIONAL.items():
        number = _version(package)
        if number is None:
            detail = _say("optional", use=_say(f"use_{package}"))
            found.append(_finding("warn", "package", detail, package=package, next_step="package", install=extra))
        else:
            found.append(_finding("ok", "package", number, package=package))
    return found


def _torch_has_cuda() -> bool:
    """Whether the installed torch was built for NVIDIA GPUs, as its version file says, without importing it."""
    origin = importlib.util.find_spec("torch")
    if origin is None or origin.origin is None:
        return False
    text = (Path(origin.origin).parent / "version.py").read_text(encoding="utf-8")
    return any(line.startswith("cuda") and "None" not in line for line in text.splitlines())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _finding(level: Level, title: str, detail: str, *, next_step: str | None = None, **fields: Any) -> Finding:
    step = translate(f"models.doctor_{next_step}_step", **fields) if next_step else None
    return Finding(level, translate(f"models.doctor_{title}", **fields), detail, step)


def _say(key: str, **fields: Any) -> str:
    return translate(f"models.doctor_{key}", **fields)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"
