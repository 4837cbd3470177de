"""Runs: a folder that is the truth about one execution, and steps in it that are not done twice."""

from metier.runs.folder import RunFolder, find_or_create_run
from metier.runs.steps import Step, StepResult, reopen, run_step

__all__ = ["RunFolder", "Step", "StepResult", "find_or_create_run", "reopen", "run_step"]
