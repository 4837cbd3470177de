"""What a run has trained becomes a version of its owner's specialist, when the run ends."""

from __future__ import annotations

from typing import Any

from metier.core.errors import ConfigError
from metier.specialists.store import Origin, Specialists
from metier.specialists.taught import TaughtSpec, teach
from metier.workbench.store.tables import Job


def teach_owners(specialists: Specialists, job: Job, summary: dict[str, Any]) -> dict[str, Any]:
    """The version that answers with what this run has trained; as it is told in the run's summary, under `taught`.

    Called before the run is written down as done: cut off in between, it is called again, and makes nothing twice.
    `version` is None where the run was found worse, or the specialist has been removed meanwhile.
    """
    asked = job.spec["asked"]
    name = asked.get("specialist") if job.kind == "recipe" else ""
    if not name:
        return {}
    outcome = str((summary.get("verdict") or {}).get("outcome", ""))
    taught: dict[str, Any] = {"specialist": name, "version": None, "outcome": outcome}
    if outcome != "worse":
        reference = f"run:{job.id}"
        spec = TaughtSpec(
            specialist=name,
            model_name_or_path=asked["model_name_or_path"],
            adapter_name_or_path=reference,
            enable_thinking=asked.get("enable_thinking"),
        )
        try:
            taught["version"] = teach(spec, specialists, job.owner_id, Origin(run=reference, outcome=outcome)).version
        except ConfigError as error:
            taught["problem"] = error.key
    return {"taught": taught}
