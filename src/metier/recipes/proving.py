"""Proof of a specialist as one step: `proof.json`, and the page that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.core.events import EventLog
from metier.core.files import read_json, write_text
from metier.evaluate.proof import ProofSpec, proof_inputs, run_proof
from metier.runs import Step

if TYPE_CHECKING:
    from metier.evaluate.proof.sources import Sources

PAGE = "proof.html"


def proof_step(spec: ProofSpec, sources: Sources, **inputs: Any) -> Step:
    """The step of a proof. inputs: what its result depends on besides the specialist, its documents and questions."""
    return Step("prove", "prove", spec, lambda folder, events: run_proving(spec, folder, events, sources=sources),
                {**proof_inputs(spec, sources), **inputs})  # fmt: skip


def run_proving(spec: ProofSpec, folder: Path, events: EventLog, *, sources: Sources | None = None) -> dict[str, Any]:
    """Runs the proof and writes `proof.html` beside its figures. sources: None for this machine's user's own."""
    from metier.evaluate.proof.step import PROOF
    from metier.report.proof import proof_page

    summary = run_proof(spec, folder, events, sources=sources)
    write_text(folder / PAGE, proof_page(read_json(folder / PROOF)))
    return summary
