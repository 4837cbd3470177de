"""The catalogue: complete, consistent, and true to the configurations that ship with it."""

from __future__ import annotations

import pytest

from metier.models import catalogue, find
from metier.models.catalogue import preset_config
from metier.models.skeleton import build_skeleton


@pytest.mark.parametrize(
    "name",
    [
        "llama-3.1-70b-instruct",
        "Llama-3.1-70B-Instruct",
        "meta-llama/Llama-3.1-70B-Instruct",
        "meta-llama/Meta-Llama-3.1-70B-Instruct",
        "ms:LLM-Research/Meta-Llama-3.1-70B-Instruct",
    ],
)
def test_a_model_is_found_by_every_name_it_goes_by(name: str) -> None:
    entry = find(name)
    assert entry is not None
    assert entry.name == "llama-3.1-70b-instruct"


def test_every_entry_says_where_it_comes_from_and_what_its_licence_asks() -> None:
    for entry in catalogue():
        assert entry.sources, entry.name
        assert entry.licence.url.startswith("https://"), entry.name
        assert set(entry.licence.duties) == {"en", "zh"}, entry.name


def test_names_and_ids_belong_to_one_entry_only() -> None:
    names = [name.lower() for entry in catalogue() for name in {entry.name, *entry.sources, *entry.aliases}]
    assert len(names) == len(set(names))


def test_the_families_that_were_promised_are_there() -> None:
    families = ["llama-3.1", "llama-3.2-11b-vision", "qwen3-8b", "qwen2.5-vl", "qwen3-vl", "deepseek-r1-distill"]
    families += ["gemma", "internvl", "smollm2"]
    names = [entry.name for entry in catalogue()]
    assert all(any(name.startswith(family) for name in names) for family in families)


def test_every_entry_ships_a_configuration_that_agrees_with_it() -> None:
    for entry in catalogue():
        config = preset_config(entry)
        assert config is not None, entry.name
        assert "auto_map" not in config, entry.name
        assert ("vision_config" in config) == entry.vision, entry.name


@pytest.mark.parametrize(
    "name", ["smollm2-135m", "llama-3.1-70b-instruct", "qwen3-0.6b", "llama-3.2-11b-vision-instruct"]
)
def test_parameters_of_a_configuration_are_those_published(name: str) -> None:
    entry = find(name)
    assert entry is not None
    assert build_skeleton(name).parameters == entry.parameters


@pytest.mark.slow
def test_parameters_of_all_configurations_are_those_published() -> None:
    differing = [entry.name for entry in catalogue() if build_skeleton(entry.name).parameters != entry.parameters]
    assert differing == []
