"""Which models one may chat with: those that are here, and what one's own runs have trained, any checkpoint of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from metier.core.errors import ConfigError
from metier.core.files import verify_manifest
from metier.core.i18n import translate
from metier.models import find, list_models
from metier.models.adapters import ADAPTER_CONFIG
from metier.models.store import stored
from metier.train.checkpoints import checkpoint_folder, checkpoint_steps
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.artifacts import Artifacts
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.sight import sees, takes_pictures
from metier.workbench.store.tables import Job

_OF_RUN = re.compile(r"(run:[0-9a-f]{16})(?:@step-(\d{1,9}))?")
_RUNS = 50  # the newest runs that are offered; any other can be named


@dataclass(frozen=True)
class ChatModel:
    """Something to choose. reference: how it is named; group: `base`, `tuned` or `checkpoint`; here: whether it must
    not be fetched first; thinking: whether it can write its thinking before an answer; pictures: whether it can be
    asked about pictures."""

    reference: str
    title: str
    group: str
    here: bool = True
    thinking: bool = False
    pictures: bool = False


@dataclass(frozen=True)
class Weights:
    """Where a chosen model's files are. model: a name or folder; adapter: a folder on top of it; tokenizer: the model
    whose tokenizer is used, where `model` has none of its own; template: the chat template it was trained with."""

    reference: str
    title: str
    model: str
    adapter: str | None = None
    tokenizer: str | None = None
    template: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As the child is told."""
        return asdict(self)


class ChatModels:
    """Models to chat with, for their owner."""

    def __init__(self, artifacts: Artifacts) -> None:
        self.artifacts = artifacts

    def choices(self, owner: Person, *, also: tuple[str, ...] = ()) -> list[ChatModel]:
        """What to choose from. also: references that must be among them, if they exist at all."""
        listed = [
            ChatModel(info.name, info.title, "base", info.folder is not None, info.thinking, sees(info))
            for info in list_models()
            if info.folder is not None or any(source.startswith("pypi:") for source in info.sources)
        ]
        query = select(Job).where(Job.owner_id == owner.id, Job.kind.in_(("train", "recipe")))
        with self.artifacts.database.read() as session:
            jobs = list(session.scalars(query.order_by(Job.created.desc()).limit(_RUNS)))
        listed += [choice for job in jobs for choice in self._of_job(job)]
        known = {one.reference for one in listed}
        for reference in also:
            if reference not in known and _OF_RUN.fullmatch(reference):
                job, _ = self.artifacts.job(owner, reference.partition("@")[0])
                listed += [choice for choice in self._of_job(job) if choice.reference == reference]
        return listed

    def weights(self, owner: Person, reference: str, *, verify: bool = True) -> Weights:
        """The files of a chosen model. verify: also whether a checkpoint's are what was written, which takes a while
        for large ones. Raises what is not there, not whole, or not the owner's."""
        match = _OF_RUN.fullmatch(reference)
        if match is None:
            entry = find(reference)
            if entry is None and (stored(reference) is None or "/" in reference):
                raise ConfigError("workbench.unknown_model", name=reference)
            return Weights(reference, entry.title if entry else reference, entry.name if entry else reference)
        job, _ = self.artifacts.job(owner, match[1])
        base, template = _base_of(job)
        if match[2] is None:
            folder, _ = self.artifacts.weights(owner, match[1])
            title = job.title
        else:
            folder = checkpoint_folder(self._training(job), int(match[2]))
            if not folder.is_dir():
                raise NotFoundError("workbench.chat_no_checkpoint", step=int(match[2]), title=job.title)
            if verify:
                verify_manifest(folder)
            title = _of_step(job, int(match[2]))
        if (folder / ADAPTER_CONFIG).is_file():
            return Weights(reference, title, base, str(folder), template=template)
        own_tokenizer = (folder / "tokenizer_config.json").is_file()
        return Weights(reference, title, str(folder), None, None if own_tokenizer else base, template)

    def takes_pictures(self, owner: Person, reference: str) -> bool:
        """Whether a chosen model can be asked about pictures, as its files or the catalogue say."""
        match = _OF_RUN.fullmatch(reference)
        if match is None:
            return takes_pictures(reference)
        job, _ = self.artifacts.job(owner, match[1])
        return takes_pictures(_base_of(job)[0])

    def refuse_pictures(self, owner: Person, references: Iterable[str]) -> None:
        """Raises ConflictError for a model that cannot be asked about pictures."""
        for reference in references:
            if not self.takes_pictures(owner, reference):
                title = self.weights(owner, reference, verify=False).title
                raise ConflictError("workbench.chat_takes_no_pictures", title=title)

    def _training(self, job: Job) -> Path:
        return layout.job_folder(self.artifacts.jobs, job.id) / layout.RUN / "steps" / "train"

    def _of_job(self, job: Job) -> list[ChatModel]:
        folder = self._training(job)
        base = _base_of(job)[0]
        can = {"thinking": bool((entry := find(base)) and entry.thinking), "pictures": takes_pictures(base)}
        found = []
        if any((folder / name).is_dir() for name in ("adapter", "model")):
            found.append(ChatModel(f"run:{job.id}", job.title, "tuned", **can))
        for step in reversed(checkpoint_steps(folder)):
            name = f"run:{job.id}@step-{step:06d}"
            found.append(ChatModel(name, _of_step(job, step), "checkpoint", **can))
        return found


def _of_step(job: Job, step: int) -> str:
    return translate("workbench.chat_checkpoint", title=job.title, step=step)


def _base_of(job: Job) -> tuple[str, str | None]:
    """The model that a training began from, as it was resolved then, and the template that it used."""
    work = job.spec["work"]
    section = work["train"] if isinstance(work.get("train"), dict) else work
    model = section.get("model_name_or_path") or work.get("model_name_or_path") or ""
    return str(model), section.get("template") or work.get("template")
