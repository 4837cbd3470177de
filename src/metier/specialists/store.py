"""The specialists of an owner, version by version; an answer names the version that gave it.

    <folder>/<owner>/<name>/0001.yaml, 0002.yaml, …      each written once, never changed

Shipped specialists are there for everyone, as version `shipped-<hash>`; editing one makes one's own of the same name.
Where a version came from stands in its file under `origin`.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from metier.core.errors import ConfigError
from metier.core.files import fingerprint, folder_lock, write_text
from metier.core.registry import nearest
from metier.core.specs import parse_spec
from metier.core.yamltext import parse_yaml
from metier.specialists.spec import Specialist

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_VERSION = re.compile(r"v(\d{1,6})")
_OWNER = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a version came from. run: what trained its model, a folder or `run:<id>`; outcome: that run's verdict;
    version: the earlier one that it is again. All empty: somebody wrote it."""

    run: str = ""
    outcome: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class StoredSpecialist:
    """A specialist in one version. version: `v3`, or `shipped-1a2b3c4d`; created: UTC, None for a shipped one."""

    specialist: Specialist
    version: str
    created: datetime | None = None
    origin: Origin = Origin()

    @property
    def shipped(self) -> bool:
        """Whether it comes with the product."""
        return self.created is None


class Specialists:
    """Specialists in a folder, apart by owner."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def list(self, owner: str) -> tuple[StoredSpecialist, ...]:
        """The newest version of each, the shipped ones included, by name."""
        names = {path.name for path in self._owned(owner).glob("*") if _NAME.fullmatch(path.name)} | set(_shipped())
        return tuple(self.get(owner, name) for name in sorted(names))

    def get(self, owner: str, name: str, version: str | None = None) -> StoredSpecialist:
        """A specialist, newest version first. Raises ConfigError for a name or version that is not there."""
        numbers = self._numbers(owner, name)
        if version is None and numbers:
            return self._read(owner, name, numbers[-1])
        if version and (match := _VERSION.fullmatch(version)) and int(match[1]) in numbers:
            return self._read(owner, name, int(match[1]))
        shipped = shipped_specialist(name)
        if shipped is not None and version in (None, shipped.version):
            return shipped
        if not numbers and shipped is None:
            known = sorted({one.specialist.name for one in self.list(owner)})
            raise ConfigError("specialists.unknown", name=name, hint=nearest(name, known))
        versions = ", ".join(one.version for one in self.versions(owner, name))
        raise ConfigError("specialists.unknown_version", name=name, version=version, known=versions)

    def versions(self, owner: str, name: str) -> tuple[StoredSpecialist, ...]:
        """All versions of a specialist, the newest first, a shipped one last."""
        own = [self._read(owner, name, number) for number in reversed(self._numbers(owner, name))]
        shipped = shipped_specialist(name)
        return (*own, shipped) if shipped else tuple(own)

    def create(self, owner: str, specialist: Specialist) -> StoredSpecialist:
        """Stores a new specialist as version 1. Raises ConfigError where the name is taken."""
        with folder_lock(self._owned(owner)):
            if self._numbers(owner, specialist.name) or specialist.name in _shipped():
                raise ConfigError("specialists.taken", name=specialist.name)
            return self._write(owner, specialist, 1)

    def edit(self, owner: str, specialist: Specialist, origin: Origin = Origin()) -> StoredSpecialist:
        """Stores a new version; the same as the newest makes none."""
        with folder_lock(self._owned(owner)):
            newest = self.get(owner, specialist.name)
            if newest.specialist == specialist:
                return newest
            numbers = self._numbers(owner, specialist.name)
            return self._write(owner, specialist, (numbers[-1] if numbers else 0) + 1, origin)

    def remove(self, owner: str, name: str) -> None:
        """Forgets all versions of an own specialist; a shipped one of that name is the plain one again."""
        if not self._numbers(owner, name):
            self.get(owner, name)
            raise ConfigError("specialists.is_shipped", name=name)
        folder = self._owned(owner) / name
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()

    def _owned(self, owner: str) -> Path:
        # An owner is an id that the product made; anything else never becomes a path.
        if not _OWNER.fullmatch(owner):
            raise ConfigError("specialists.bad_owner")
        return self.folder / owner

    def _numbers(self, owner: str, name: str) -> tuple[int, ...]:
        """Numbers of the own versions, rising."""
        if not _NAME.fullmatch(name):
            return ()
        paths = (self._owned(owner) / name).glob("*.yaml")
        return tuple(sorted(int(path.stem) for path in paths if path.stem.isdigit()))

    def _read(self, owner: str, name: str, number: int) -> StoredSpecialist:
        path = self._owned(owner) / name / f"{number:04d}.yaml"
        values = parse_yaml(path.read_text(encoding="utf-8"))
        origin = Origin(**values.pop("origin", {}))
        created = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return StoredSpecialist(parse_spec(Specialist, values, source=str(path)), f"v{number}", created, origin)

    def _write(self, owner: str, specialist: Specialist, number: int, origin: Origin = Origin()) -> StoredSpecialist:
        known = {key: value for key, value in asdict(origin).items() if value}
        came = yaml.safe_dump({"origin": known}, allow_unicode=True, width=110) if known else ""
        write_text(self._owned(owner) / specialist.name / f"{number:04d}.yaml", to_yaml(specialist) + came)
        return self._read(owner, specialist.name, number)


def read_specialist(path: Path) -> Specialist:
    """A specialist from a YAML file of the user. Raises ConfigError for what is wrong in it."""
    if not path.is_file():
        raise ConfigError("specialists.no_file", file=path)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError("specialists.bad_yaml", file=path, problem=str(error).splitlines()[0]) from error
    if not isinstance(values, dict):
        raise ConfigError("specialists.bad_yaml", file=path, problem=type(values).__name__)
    return parse_spec(Specialist, values, source=str(path))


def to_yaml(specialist: Specialist) -> str:
    """A specialist as a person would write it: what is a default is left out."""
    values: dict[str, Any] = {"name": specialist.name, **specialist.model_dump(mode="json", exclude_defaults=True)}
    return yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=110)


def shipped_specialist(name: str) -> StoredSpecialist | None:
    """A specialist that comes with the product, None for an unknown name."""
    text = _shipped().get(name)
    if text is None:
        return None
    specialist = parse_spec(Specialist, parse_yaml(text), source=f"{name}.yaml")
    return StoredSpecialist(specialist, f"shipped-{fingerprint(specialist.model_dump(mode='json'))[:8]}")


def _shipped() -> dict[str, str]:
    """Name → YAML of the shipped specialists."""
    folder = files("metier.specialists").joinpath("shipped")
    sources = sorted((one for one in folder.iterdir() if one.name.endswith(".yaml")), key=lambda one: one.name)
    return {one.name.removesuffix(".yaml"): one.read_text(encoding="utf-8") for one in sources}
