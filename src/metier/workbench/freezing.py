"""Work as an owner asked for it → work that can run: sets as they are now, other runs' artifacts as paths.

A name from a browser never becomes a path of the machine: sets are names of the owner's or shipped ones, models are
names of the catalogue, of the store, or runs; everything else is refused.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from metier.core.errors import ConfigError, CorruptionError
from metier.core.files import sha256_file, write_json
from metier.core.registry import nearest
from metier.core.specs import Spec
from metier.data.entries import DATASET_INFO, shipped_entries
from metier.data.picturefiles import PICTURES, PICTURES_JSON, PictureFiles, own_pictures, picture_names
from metier.data.several import names_in
from metier.engines.registry import ENGINES
from metier.evaluate.metrics import METRICS
from metier.models import find
from metier.models.store import stored
from metier.rendering.load import families
from metier.specialists.store import Specialists
from metier.workbench.accounts import Person
from metier.workbench.artifacts import Artifacts
from metier.workbench.proofs import Proofs
from metier.workbench.store.tables import Dataset
from metier.workbench.work import STEPS

# What a prediction may hand to a server engine: sizes and shares, never files, addresses or code.
_SERVER_SETTINGS = ("tensor_parallel_size", "gpu_memory_utilization", "max_model_len", "max_num_seqs", "enforce_eager")
_COMMIT = re.compile(r"[0-9a-f]{40}")  # a branch or tag may be another thing tomorrow
_SETS = ("dataset", "eval_dataset", "test_dataset", "train", "test", "guard")
_STEPS = ("pred_file", "base", "tuned", "guard_base", "guard_tuned", "prepare", "run", "train", "compare")
_UNSET = ("output_metrics", "manifest", "recipe", "preview", "metrics_base", "metrics_tuned", "predict_base",
          "predict_tuned")  # fmt: skip
_BASE = ("base_model_name_or_path", "base_adapter_name_or_path")
AUTO = "auto"
FindSet = Callable[[Person, str], tuple[Dataset, Path, dict[str, Any]]]
# Owner, the work and the folder of a run that reads a report → the work with its file in that folder
FreezeReport = Callable[[Person, dict[str, Any], Path | None], dict[str, Any]]


class Freezer:
    """find_set: an owner's set by name, its file, and its entry in a `dataset_info.json`; specialists: of all;
    proofs: freezes those of specialists."""

    def __init__(self, artifacts: Artifacts, find_set: FindSet, specialists: Specialists, proofs: Proofs) -> None:
        self.artifacts = artifacts
        self._find_set = find_set
        self._specialists = specialists
        self._proofs = proofs
        self.freeze_report: FreezeReport | None = None

    def freeze(self, owner: Person, kind: str, work: dict[str, Any], folder: Path | None) -> dict[str, Any]:
        """The work with its sets linked into `folder` and its references resolved. Raises what is not the owner's.

        Without a folder nothing is linked: whether the work could be done is all that is looked at.
        """
        if kind == "fetch":
            return work
        if kind == "prove":
            return self._proof(owner, work, folder)
        if kind == "findings" and self.freeze_report is not None:
            return self.freeze_report(owner, work, folder)
        frozen: dict[str, Any] = {}
        entries: dict[str, Any] = {}
        if kind == "recipe" and (work.get("prove") or {}).get("specialist"):
            _only_shipped(work["prove"])
        if kind == "recipe" and work.get("specialist"):
            self._specialists.get(owner.id, work["specialist"])
        nested = kind in ("recipe", "score")
        sections = ("prepare", "train", "predict", "guard", "evaluate", "compare", "report")
        for key, value in work.items():
            if nested and key in sections and isinstance(value, dict):
                spec = STEPS["predict" if key == "guard" else key]
                frozen[key] = self._section(owner, value, folder, entries, wired=spec)
            elif kind == "recipe" and key == "data":
                frozen[key] = {**value, **self._sets(owner, value, folder, entries)}
            elif kind == "recipe" and key == "prove" and value.get("specialist"):
                frozen[key] = {**value, **self._model(owner, value)}
            else:
                frozen[key] = value
        top = self._section(owner, {k: v for k, v in frozen.items() if not isinstance(v, dict) or k not in sections}
                            if nested else work, folder, entries)  # fmt: skip
        frozen = {**frozen, **top, **self._base(owner, frozen)}
        if entries and folder is not None:
            write_json(folder / DATASET_INFO, entries)
        return frozen

    def _proof(self, owner: Person, work: dict[str, Any], folder: Path | None) -> dict[str, Any]:
        """A proof with its set of questions linked into `folder`; shipped questions go by their name."""
        from metier.evaluate.proof.questions import shipped_questions

        frozen = self._proofs.freeze(owner, work)
        name = work["questions"]
        if name in shipped_questions():
            return frozen
        entry = self._link(owner, name, folder)
        if folder is not None:
            write_json(folder / DATASET_INFO, {name: entry})
        return {**frozen, "dataset_id": self._find_set(owner, name)[0].id}

    def _section(
        self, owner: Person, values: dict[str, Any], folder: Path | None, entries: dict[str, Any], *,
        wired: type[Spec] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """One spec's values. wired: of a recipe's section, whose files the recipe itself names: what stands there is
        the spec's default or nothing."""
        result = {**values, **self._sets(owner, values, folder, entries)}
        for key in _UNSET:
            if result.get(key):
                raise ConfigError("workbench.not_here", key=key)
        if result.get("dataset_dir"):
            raise ConfigError("workbench.not_here", key="dataset_dir")
        if "dataset_dir" in result and folder is not None:
            result["dataset_dir"] = str(folder.resolve())
        if "save_name" in result and result["save_name"] != "predictions.jsonl":
            raise ConfigError("workbench.not_here", key="save_name")
        _only_registered(result)
        template = result.get("template")
        if isinstance(template, str) and template not in families():
            known = list(families())
            hint = nearest(template, known)
            raise ConfigError("core.unknown_name", kind="template", name=template, known=", ".join(known), hint=hint)
        for key in _STEPS:
            if not isinstance(result.get(key), str):
                continue
            if wired is None:
                result[key] = self._file(owner, key, result[key])
            elif key in wired.model_fields and result[key] != str(wired.model_fields[key].default):
                raise ConfigError("workbench.not_here", key=key)
        return {**result, **self._model(owner, result)}

    def _file(self, owner: Person, key: str, reference: str) -> str:
        step = self.artifacts.step(owner, reference)
        if key == "prepare":
            return str(step / "prepare.json")
        return str(step / "predictions.jsonl") if (step / "predictions.jsonl").is_file() else str(step)

    def _sets(
        self, owner: Person, values: dict[str, Any], folder: Path | None, entries: dict[str, Any]
    ) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        for key in _SETS:
            reference = values.get(key)
            if not isinstance(reference, str) or not reference or reference.startswith("run:"):
                continue
            for name in names_in(reference):
                if name in shipped_entries():
                    continue
                if name not in entries:
                    entries[name] = self._link(owner, name, folder)
                if "skip_bad_rows" in values and self._find_set(owner, name)[0].details["skip_bad_rows"]:
                    changed["skip_bad_rows"] = True  # as it was registered
            changed[key] = reference
        return changed

    def _link(self, owner: Person, name: str, folder: Path | None) -> dict[str, Any]:
        """The set's file in the job's folder. Files of sets never change, so a link is as good as a copy."""
        row, file, entry = self._find_set(owner, name)
        names = file.parent / PICTURES_JSON
        if folder is None:
            return {**entry, "file_name": str(file.resolve()), "pictures": str(names.resolve())}
        if sha256_file(file) != row.sha256:
            raise CorruptionError("workbench.dataset_changed", name=name)
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{row.id}{''.join(file.suffixes)}"
        _link(file, target)
        pictures = _link_pictures(own_pictures(names), folder, row.id, name)
        return {**entry, "file_name": target.name, "pictures": pictures}

    def _base(self, owner: Person, values: dict[str, Any]) -> dict[str, Any]:
        """The model that a scored one is compared with, named by the same keys with `base_` before them."""
        given = {key.removeprefix("base_"): value for key, value in values.items() if key in _BASE}
        return {f"base_{key}": value for key, value in self._model(owner, given).items()}

    def _model(self, owner: Person, values: dict[str, Any]) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        if values.get("revision") and not _COMMIT.fullmatch(str(values["revision"])):
            raise ConfigError("workbench.unpinned_revision", key="revision")
        model, adapter = values.get("model_name_or_path"), values.get("adapter_name_or_path")
        if isinstance(model, str) and model.startswith("run:"):
            folder, base = self.artifacts.weights(owner, model)
            whole = folder.name == "model"
            if not whole and base.startswith("run:"):
                base = str(self.artifacts.weights(owner, base)[0])
            changed["model_name_or_path"] = str(folder) if whole else base
            if not whole:
                changed["adapter_name_or_path"] = str(folder)
        elif isinstance(model, str) and find(model) is None and (stored(model) is None or "/" in model):
            raise ConfigError("workbench.unknown_model", name=model)
        if isinstance(adapter, str) and adapter:
            if not adapter.startswith("run:"):
                raise ConfigError("workbench.not_here", key="adapter_name_or_path")
            changed["adapter_name_or_path"] = str(self.artifacts.weights(owner, adapter)[0])
        return changed


def _only_shipped(proof: dict[str, Any]) -> None:
    """Raises ConfigError for a recipe's proof that would read files of the machine, or send answers to an address."""
    from metier.evaluate.proof.questions import shipped_questions
    from metier.evaluate.rubric import shipped_rubrics
    from metier.specialists.store import shipped_specialist

    for key in ("adapter_name_or_path", "judge_address", "judge_api_key"):
        if proof.get(key):
            raise ConfigError("workbench.not_here", key=f"prove.{key}")
    judge = proof.get("judge_model_name_or_path")
    names = {
        "judge_model_name_or_path": not judge or find(judge) is not None,
        "specialist": shipped_specialist(str(proof["specialist"])) is not None,
        "questions": str(proof.get("questions")) in shipped_questions(),
        "rubric": not proof.get("rubric") or proof["rubric"] in shipped_rubrics(),
    }
    for key, is_shipped in names.items():
        if not is_shipped:
            raise ConfigError("workbench.not_here", key=f"prove.{key}")


def _link_pictures(own: PictureFiles, folder: Path, set_id: str, name: str) -> str:
    """A set's own pictures in the job's folder, as they were sent; returns the file that names them. Without any it
    names none, and rows of the job can name no other."""
    files = {}
    below = folder / f"{set_id}.{PICTURES}"
    for entry, file in (own.named or {}).items():
        files[entry] = file.name
        if (below / file.name).exists():
            continue
        if sha256_file(file) != file.name:
            raise CorruptionError("workbench.dataset_changed", name=name)
        below.mkdir(exist_ok=True)
        _link(file, below / file.name)
    names = folder / f"{set_id}.{PICTURES_JSON}"
    write_json(names, picture_names(own.base, files, below.name))
    return names.name


def _link(file: Path, target: Path) -> None:
    if not target.exists():
        try:
            os.link(file, target)
        except OSError:
            shutil.copyfile(file, target)


def _only_registered(values: dict[str, Any]) -> None:
    """Raises ConfigError for a metric or engine that is in no registry, and for settings that are not on the list."""
    metrics, primary = values.get("metrics") or (), values.get("primary") or AUTO
    for name in [*([metrics] if isinstance(metrics, str) else metrics), primary]:
        if name != AUTO and name not in METRICS:
            key = "primary" if name == primary else "metrics"
            known = ", ".join(METRICS)
            raise ConfigError(
                "core.unknown_name", kind="metric", name=name, known=known, hint=nearest(name, METRICS), key=key
            )
    for key in ("vllm_config",):
        for setting, value in (values.get(key) or {}).items():
            if setting not in _SERVER_SETTINGS or not isinstance(value, int | float):
                raise ConfigError("workbench.not_here", key=f"{key}.{setting}")
    if "save_name" in values and values.get("engine", "hf") not in ENGINES:
        ENGINES.get(values["engine"])
