"""`metier doctor`: what this machine can do, and what is missing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from metier.cli.app import write_json
from metier.models import doctor as examine

_MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "missing": ("✗", "red")}


def doctor(*, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Looks at processor, memory, disk, GPUs, packages and the model store."""
    findings = examine()
    if json:
        write_json([asdict(finding) for finding in findings])
        return 0
    console = Console(highlight=False)
    for finding in findings:
        mark, colour = _MARKS[finding.level]
        console.print(f"[{colour}]{mark}[/] [bold]{finding.title}[/]", end="  ")
        console.print(finding.detail, markup=False)
        if finding.next_step:
            console.print(f"    → {finding.next_step}", markup=False, style="dim")
    return 0
