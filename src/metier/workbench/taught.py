"""Which sets a model was trained on, as far as own runs tell: scores on such a set tell what was remembered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metier.data.several import names_in
from metier.workbench.accounts import Person
from metier.workbench.artifacts import Artifacts
from metier.workbench.errors import NotFoundError
from metier.workbench.store.tables import Job

_MODELS = ("model_name_or_path", "adapter_name_or_path")


class Taught:
    """Follows an owner's runs back to the models they began from."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    def sets(self, owner: Person, *models: object) -> set[str]:
        """The sets that models were trained on, over all runs they came from. What is no own run was trained
        elsewhere, and a run that is gone tells nothing."""
        found: set[str] = set()
        ahead, passed = list(models), set()
        while ahead:
            reference = ahead.pop()
            if not isinstance(reference, str) or not reference.startswith("run:") or reference in passed:
                continue
            passed.add(reference)
            try:
                job, _ = self._artifacts.job(owner, reference)
            except NotFoundError:
                continue
            found |= trained_on(job)
            ahead += _models(job.spec["asked"])
        return found

    def seen(self, owner: Person, job: Job) -> list[str]:
        """The sets that an evaluation asks and the model that answers was trained on."""
        asked = job.spec["asked"]
        if job.kind == "evaluate":
            try:
                answered, step = self._artifacts.job(owner, str(asked.get("pred_file") or ""))
            except NotFoundError:
                return []
            return [] if step.endswith("-base") else self.seen(owner, answered)
        if job.kind == "recipe":
            known = self.sets(owner, *_models(asked)) | trained_on(job)
            tested = (asked.get("data") or {}).get("test")
        else:
            part = (asked.get("predict") or {}) if job.kind == "score" else asked
            known, tested = self.sets(owner, *_models(part)), part.get("dataset")
        return [name for name in _names(tested) if name in known]


def trained_on(job: Job) -> set[str]:
    """The sets that a run itself trains on."""
    asked = job.spec["asked"]
    given = {"recipe": (asked.get("data") or {}).get("train"), "train": asked.get("dataset")}.get(job.kind)
    return set(_names(given))


def _names(sets: Any) -> list[str]:
    return names_in(str(sets)) if sets else []


def _models(asked: Mapping[str, Any]) -> list[Any]:
    """What work begins from: models and adapters, of the whole or of its training."""
    return [part.get(key) for part in (asked, asked.get("train") or {}) for key in _MODELS]
