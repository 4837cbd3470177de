"""The step `specialist`: what a run has trained becomes a version of a specialist, unless it was found worse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metier.core.errors import ConfigError
from metier.core.events import EventLog
from metier.core.files import read_json, write_json
from metier.core.i18n import has_text, translate
from metier.core.specs import Spec
from metier.knowledge.library import LOCAL
from metier.specialists.spec import Specialist
from metier.specialists.store import Origin, Specialists, StoredSpecialist, read_specialist

TAUGHT = "specialist.json"
_FILES = (".yaml", ".yml")


class TaughtSpec(Spec):
    """Who gets what. specialist: a name, or a YAML file; model_name_or_path, adapter_name_or_path: what was trained;
    enable_thinking: as it was trained, None leaves the specialist's own."""

    specialist: str
    model_name_or_path: str
    adapter_name_or_path: str | None = None
    enable_thinking: bool | None = None


def find_pupil(reference: str, specialists: Specialists, owner: str) -> Specialist:
    """The specialist of a name, in its newest version, or of a YAML file. Raises ConfigError where it is not."""
    if Path(reference).suffix in _FILES:
        return read_specialist(Path(reference))
    return specialists.get(owner, reference).specialist


def teach(spec: TaughtSpec, specialists: Specialists, owner: str, origin: Origin) -> StoredSpecialist:
    """Stores the version that answers with what was trained. One of a file that is not known yet is made first."""
    pupil = find_pupil(spec.specialist, specialists, owner)
    if pupil.name not in {one.specialist.name for one in specialists.list(owner)}:
        specialists.create(owner, pupil)
    changes: dict[str, Any] = {
        "model_name_or_path": _from_anywhere(spec.model_name_or_path),
        "adapter_name_or_path": spec.adapter_name_or_path,
        "server": None,
    }
    if spec.enable_thinking is not None:
        changes["enable_thinking"] = spec.enable_thinking
    return specialists.edit(owner, pupil.model_copy(update=changes), origin)


def run_teaching(
    spec: TaughtSpec,
    folder: Path,
    events: EventLog,
    comparison: Path,
    run: Path,
    *,
    specialists: Specialists,
    owner: str = LOCAL,
) -> dict[str, Any]:
    """Makes the version, unless the comparison says that what was trained is worse, and writes `specialist.json`.

    Returns the specialist's name, its new version (None: none was made) and the comparison's outcome.
    """
    outcome = str(read_json(comparison)["verdict"]["outcome"])
    name = find_pupil(spec.specialist, specialists, owner).name
    made = None
    if outcome != "worse":
        made = teach(spec, specialists, owner, Origin(run=str(run.resolve()), outcome=outcome)).version
    summary = {"specialist": name, "version": made, "outcome": outcome}
    write_json(folder / TAUGHT, summary)
    events.emit("end", **summary)
    return summary


def is_taught(folder: Path, specialists: Specialists, owner: str = LOCAL) -> bool:
    """Whether what the step in `folder` made, if it made anything, is still there."""
    path = folder / TAUGHT
    made = read_json(path) if path.is_file() else {}
    if not made.get("version"):
        return True
    try:
        specialists.get(owner, made["specialist"], made["version"])
    except ConfigError:
        return False
    return True


def taught_text(summary: dict[str, Any]) -> str:
    """What became of what was trained, in a sentence."""
    key = "specialists.taught" if summary["version"] else "specialists.not_taught"
    return translate(key, name=summary["specialist"], version=summary["version"])


def origin_text(stored: StoredSpecialist) -> str:
    """Where a version came from, in a few words."""
    if stored.shipped:
        return translate("specialists.from_product")
    came = stored.origin
    if came.run:
        key = f"evaluate.outcome.{came.outcome}"
        outcome = translate(key) if has_text(key) else came.outcome
        return translate("specialists.from_run", run=Path(came.run).name, outcome=outcome)
    if came.version:
        return translate("specialists.from_version", version=came.version)
    return translate("specialists.from_hand")


def _from_anywhere(model: str) -> str:
    """A folder by its whole path: a specialist is asked from any folder."""
    path = Path(model).expanduser()
    return str(path.resolve()) if "/" in model and ":" not in model and path.is_dir() else model
