"""Models as their users see them: the catalogue, what is on this machine, what own runs trained, what is on its way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from metier.models import ModelInfo, find, list_models
from metier.models.checks import read_model_config
from metier.models.nohub import offline
from metier.models.sketch import sketch, sketch_config
from metier.models.store import stored
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.artifacts import Artifacts
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.fit import LORA_RANK, Fit, fit
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Job

PAGE = 30
_TRAINING = ("train", "recipe")
_LOOKED_THROUGH = 200  # of the newest trainings, for those that left weights


@dataclass(frozen=True)
class Model:
    """One model. fit: None where its measures are not published; fetch: the id of the job that is bringing it."""

    info: ModelInfo
    fit: Fit | None
    fetch: str | None

    @property
    def here(self) -> bool:
        """Whether it is on this machine."""
        return self.info.folder is not None

    @property
    def listed(self) -> bool:
        """Whether it is of the catalogue."""
        return find(self.info.name) is not None


@dataclass(frozen=True)
class Trained:
    """What an own run trained. base: the model it began from; whole: all its weights, not an adapter."""

    job: Job
    base: str
    whole: bool
    size: int

    @property
    def reference(self) -> str:
        """How it is named elsewhere."""
        return f"run:{self.job.id}"


@dataclass(frozen=True)
class Page:
    """Some models, and the name that the next ones begin behind."""

    models: list[Model]
    next: str | None
    total: int


class Models:
    """Reads the model store and the owner's runs."""

    def __init__(self, database: Database, jobs: Path, artifacts: Artifacts) -> None:
        self.database = database
        self.jobs = jobs
        self.artifacts = artifacts

    def page(
        self, owner: Person, *, search: str = "", here: bool = False, after: str | None = None, limit: int = PAGE
    ) -> Page:
        """The catalogue and the store, what is here first. search: words of name, title, id or licence."""
        words = search.lower().split()
        found = [info for info in list_models(here_only=here) if all(word in _text(info) for word in words)]
        found.sort(key=lambda info: info.folder is None)  # stable: else as in the catalogue
        names = [info.name for info in found]
        begin = names.index(after) + 1 if after in names else 0
        limit = max(1, min(limit, 200))
        part = found[begin : begin + limit]
        coming = self.coming(owner)
        rest = begin + limit < len(found)
        return Page([_model(info, coming) for info in part], part[-1].name if rest and part else None, len(found))

    def get(self, owner: Person, name: str) -> Model:
        """One model of the catalogue or the store by its name. Raises NotFoundError."""
        entry = find(name)
        wanted = entry.name if entry else name
        info = next((one for one in list_models() if one.name == wanted), None)
        if info is None:
            raise NotFoundError("workbench.unknown_model", name=name[:80])
        return _model(info, self.coming(owner))

    def coming(self, owner: Person) -> dict[str, str]:
        """Models that jobs of the owner are fetching: name → id of the job."""
        query = select(Job).where(Job.owner_id == owner.id, Job.kind == "fetch", Job.state.in_(("queued", "running")))
        with self.database.read() as session:
            return {str(job.spec["asked"]["model"]): job.id for job in session.scalars(query)}

    def last_fetch(self, owner: Person, name: str) -> Job | None:
        """The owner's newest attempt to fetch a model."""
        asked = Job.spec["asked"]["model"].as_string() == name
        query = select(Job).where(Job.owner_id == owner.id, Job.kind == "fetch", asked).order_by(Job.created.desc())
        with self.database.read() as session:
            return session.scalar(query.limit(1))

    def trained(self, owner: Person, *, limit: int = PAGE) -> list[Trained]:
        """What the owner's newest runs trained."""
        query = (
            select(Job)
            .where(Job.owner_id == owner.id, Job.kind.in_(_TRAINING))
            .order_by(Job.created.desc(), Job.id.desc())
            .limit(_LOOKED_THROUGH)
        )
        found: list[Trained] = []
        with self.database.read() as session:
            for job in session.scalars(query):
                weights = _weights(layout.job_folder(self.jobs, job.id))
                if weights is not None:
                    size = sum(path.stat().st_size for path in weights.glob("*") if path.is_file())
                    found.append(Trained(job, _base(job), weights.name == "model", size))
                if len(found) == limit:
                    break
        return found

    def folder(self, owner: Person, reference: str) -> Path:
        """The folder with the tokenizer of a model or of an own run. Raises ConflictError where it is not here."""
        if reference.startswith("run:"):
            weights, base = self.artifacts.weights(owner, reference)
            return weights if weights.name == "model" else self.folder(owner, base)
        entry = find(reference)
        known = stored(entry.name if entry else reference)
        if known is None and entry is None:
            raise NotFoundError("workbench.unknown_model", name=reference[:80])
        if known is None or not known.folder.is_dir():
            raise ConflictError("workbench.model_not_here", name=entry.title if entry else reference)
        return known.folder

    @staticmethod
    def is_offline() -> bool:
        """Whether no hub may be asked."""
        return offline()


def _model(info: ModelInfo, coming: dict[str, str]) -> Model:
    return Model(info, _fit(info), coming.get(info.name))


def _fit(info: ModelInfo) -> Fit | None:
    entry = find(info.name)
    if entry is not None:
        measures = sketch(entry, lora_rank=LORA_RANK)
    elif info.folder is not None and info.parameters:
        measures = sketch_config(info.name, read_model_config(info.folder), info.parameters, lora_rank=LORA_RANK)
    else:
        measures = None
    return fit(measures) if measures is not None else None


def _text(info: ModelInfo) -> str:
    words = (info.name, info.title, *info.sources, info.licence, info.template, info.vision and "vision")
    return " ".join(str(word) for word in words if word).lower()


def _weights(folder: Path) -> Path | None:
    step = folder / layout.RUN / "steps" / "train"
    return next((step / name for name in ("adapter", "model") if (step / name).is_dir()), None)


def _base(job: Job) -> str:
    asked = job.spec["asked"]
    return str(asked.get("model_name_or_path") or (asked.get("train") or {}).get("model_name_or_path") or "")
