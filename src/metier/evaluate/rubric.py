"""A rubric: the dimensions by which answers are judged, alike for a model and for people.

A rubric is a YAML file, shipped in `rubrics/` or anybody's. Beside it may lie its test pairs (`pairs`), with which a
judge is tested before its word counts: see `metier.evaluate.fitness`.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import Field, model_validator

from metier.core.errors import ConfigError
from metier.core.files import fingerprint
from metier.core.registry import nearest
from metier.core.specs import Spec, parse_spec
from metier.specialists.spec import Texts

_FOLDER = "rubrics"
_PAIRS = ".pairs.yaml"
_LARGEST = 4_000_000  # bytes of a rubric or its pairs


class Dimension(Spec):
    """One thing to look at. asks: what a good answer does there, as the judge is told."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    name: Texts
    asks: Texts


class Rubric(Spec):
    """What judges look at. role: who the judge should be; pairs: file of test pairs beside the rubric's own."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    version: str = "1"
    title: Texts
    role: Texts
    dimensions: tuple[Dimension, ...] = Field(min_length=1, max_length=12)
    pairs: str = ""

    @model_validator(mode="after")
    def _keys_are_different(self) -> Rubric:
        keys = [one.key for one in self.dimensions]
        if len(set(keys)) != len(keys) or "overall" in keys:
            raise ValueError("dimensions need keys of their own, and `overall` is taken")
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """The dimensions' keys, in order."""
        return tuple(one.key for one in self.dimensions)


class Part(Spec):
    """A piece of an answer, as it should be, and with one defect."""

    good: str = Field(min_length=1)
    bad: str = Field(min_length=1)


class Case(Spec):
    """A question and its answer, piece by piece: each dimension has one piece, sound and spoilt."""

    name: str = Field(min_length=1)
    question: str = Field(min_length=1)
    parts: dict[str, Part]


class _Pairs(Spec):
    cases: tuple[Case, ...] = Field(min_length=1)


def shipped_rubrics() -> list[str]:
    """Names of the rubrics that come with the product."""
    names = (entry.name for entry in files("metier.evaluate").joinpath(_FOLDER).iterdir())
    return sorted(Path(name).stem for name in names if name.endswith(".yaml") and not name.endswith(_PAIRS))


def load_rubric(reference: str) -> tuple[Rubric, tuple[Case, ...]]:
    """The rubric `reference` (a shipped name or a YAML file) and its test cases, none where it has no pairs.

    Raises ConfigError for an unknown name, an unreadable file, and pairs that do not fit the dimensions.
    """
    if reference in shipped_rubrics():
        return _shipped(reference)
    path = Path(reference)
    if not path.is_file():
        known = shipped_rubrics()
        hint = nearest(reference, known)
        raise ConfigError("evaluate.no_rubric", name=reference, known=", ".join(known), hint=hint)
    rubric = parse_spec(Rubric, _mapping(path, path.read_bytes()), source=str(path))
    if not rubric.pairs:
        return rubric, ()
    beside = path.parent / Path(rubric.pairs).name
    if not beside.is_file():
        raise ConfigError("evaluate.no_pairs", rubric=path, file=beside)
    return rubric, _cases(rubric, beside, beside.read_bytes())


def identity(rubric: Rubric, cases: tuple[Case, ...]) -> str:
    """What a judge was tested with: changes with every word of the rubric and its cases."""
    return fingerprint([rubric.model_dump(mode="json"), [one.model_dump(mode="json") for one in cases]])


@cache
def _shipped(name: str) -> tuple[Rubric, tuple[Case, ...]]:
    folder = files("metier.evaluate").joinpath(_FOLDER)
    source = Path(f"{name}.yaml")
    rubric = parse_spec(Rubric, _mapping(source, folder.joinpath(source.name).read_bytes()), source=source.name)
    if not rubric.pairs:
        return rubric, ()
    return rubric, _cases(rubric, Path(rubric.pairs), folder.joinpath(rubric.pairs).read_bytes())


def _cases(rubric: Rubric, path: Path, content: bytes) -> tuple[Case, ...]:
    cases = parse_spec(_Pairs, _mapping(path, content), source=str(path)).cases
    for case in cases:
        if set(case.parts) != set(rubric.keys):
            wrong = ", ".join(sorted(set(case.parts) ^ set(rubric.keys)))
            raise ConfigError("evaluate.pairs_do_not_fit", file=path, case=case.name, keys=wrong)
    return cases


def _mapping(path: Path, content: bytes) -> dict[str, object]:
    """Users' files go through `safe_load`, which has no quick way to be overflown."""
    try:
        if len(content) > _LARGEST:
            raise ValueError(f"{len(content):,} bytes")
        loaded = yaml.safe_load(content.decode("utf-8-sig"))
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError("evaluate.rubric_unreadable", file=path, problem=" ".join(str(error).split())) from error
    if not isinstance(loaded, dict):
        raise ConfigError("evaluate.rubric_unreadable", file=path, problem=type(loaded).__name__)
    return loaded
