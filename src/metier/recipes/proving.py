"""Proof of a specialist as one step: `proof.json`, and the page that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metier.core.events import EventLog
from metier.core.files import read_json, write_text
from metier.evaluate.proof import ProofSpec, run_proof

PAGE = "proof.html"


def run_proving(spec: ProofSpec, folder: Path, events: EventLog) -> dict[str, Any]:
    """Runs the proof and writes `proof.html` beside its figures."""
    from metier.evaluate.proof.step import PROOF
    from metier.report.proof import proof_page

    summary = run_proof(spec, folder, events)
    write_text(folder / PAGE, proof_page(read_json(folder / PROOF)))
    return summary
