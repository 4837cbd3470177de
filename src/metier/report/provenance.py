"""Where the figures come from: model, data, software, hardware, time, and the line that makes them again."""

from __future__ import annotations

import shlex
from typing import Any

from metier.report.charts.scale import is_number
from metier.report.inputs import Inputs
from metier.report.spec import ReportSpec

_MODEL = ("model", "adapter", "tuned")
_DATA = ("datasets", "dataset", "data")
_SOFTWARE = ("python", "versions")
_RUN = ("created", "seed", "seeds", "command", "command_line", "config", "config_sha256")
RECIPE_CHARACTERS = 20_000


def provenance(inputs: Inputs) -> list[dict[str, Any]]:
    """Groups of (name, value), from the run's manifest; names are dotted keys. Unknown keys are kept, last."""
    manifest = inputs.manifest or {}
    groups: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("run", "model", "data", "hardware", "software", "other")
    }
    for key, value in manifest.items():
        name = next(
            (
                group
                for group, keys in (("model", _MODEL), ("data", _DATA), ("software", _SOFTWARE), ("run", _RUN))
                if key in keys
            ),
            "hardware" if key == "hardware" else "other",
        )
        if key == "command" and manifest.get("command_line"):
            continue
        groups[name] += _flat(key, value)
    return [{"name": name, "entries": entries} for name, entries in groups.items() if entries]


def _flat(key: str, value: Any) -> list[dict[str, Any]]:
    """Nested mappings as dotted keys; lists of plain values on one line."""
    if isinstance(value, dict):
        return [entry for inner, one in value.items() for entry in _flat(f"{key}.{inner}", one)]
    if isinstance(value, list):
        if any(isinstance(one, dict) for one in value):
            return [entry for index, one in enumerate(value) for entry in _flat(f"{key}.{index}", one)]
        value = shlex.join(map(str, value)) if key == "command" else " ".join(map(str, value))
    if value in (None, ""):
        return []
    return [{"name": key, "value": value}]


def durations(inputs: Inputs) -> list[dict[str, Any]]:
    """How long each step took, in the order in which they ended."""
    return [{"step": one.name, "seconds": one.seconds} for one in inputs.steps if is_number(one.seconds)]


def reproduce(inputs: Inputs, spec: ReportSpec) -> dict[str, Any]:
    """The command and the recipe that make this report again; empty where they are not known."""
    manifest = inputs.manifest or {}
    command = spec.command or manifest.get("command_line") or manifest.get("command") or ""
    if isinstance(command, list):
        command = shlex.join(map(str, command))
    recipe = inputs.recipe or ""
    return {
        "command": str(command),
        "recipe": recipe[:RECIPE_CHARACTERS],
        "recipe_left_out": max(0, len(recipe) - RECIPE_CHARACTERS),
        "version": (manifest.get("versions") or {}).get("metier"),
    }
