"""Proof of a specialist: base, tuned, base + knowledge and tuned + knowledge answer the same questions.

What each is worth is measured. `run_proof` is the step; only the spec is loaded at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from metier.evaluate.proof.spec import ProofSpec

if TYPE_CHECKING:
    from metier.evaluate.proof.step import proof_inputs, run_proof

__all__ = ["ProofSpec", "proof_inputs", "run_proof"]


def __getattr__(name: str) -> Any:
    if name not in ("run_proof", "proof_inputs"):
        raise AttributeError(name)
    return getattr(import_module("metier.evaluate.proof.step"), name)
