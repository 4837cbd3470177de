"""`metier model list | add | show | remove`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from metier.core.errors import ModelError
from metier.models import add_model, list_models, load_model, remove_model, resolve_model, show_model


def test_the_list_has_the_catalogue_and_what_is_only_here(tiny_model: Path) -> None:
    add_model(str(tiny_model), name="mine")
    names = [info.name for info in list_models()]
    assert names[0] == "smollm2-135m"
    assert names[-1] == "mine"
    assert [info.name for info in list_models(here_only=True)] == ["chart-seedling", "mine"]


def test_a_registered_folder_is_described_from_its_files(tiny_model: Path) -> None:
    info = add_model(str(tiny_model), name="mine")
    assert info.parameters == load_model(resolve_model("mine")).num_parameters()
    assert info.context == 2048


def test_removing_a_registered_folder_leaves_the_folder(tiny_model: Path) -> None:
    add_model(str(tiny_model), name="mine")
    remove_model("mine")
    assert (tiny_model / "model.safetensors").exists()
    assert [info.name for info in list_models(here_only=True)] == ["chart-seedling"]


def test_removing_a_kept_model_deletes_it(tiny_model: Path, own_home: Path) -> None:
    shutil.copytree(tiny_model, own_home / "models" / "qwen3-8b")
    assert remove_model("Qwen/Qwen3-8B").folder == own_home / "models" / "qwen3-8b"
    assert list((own_home / "models").iterdir()) == []


def test_a_taken_name_is_refused(tiny_model: Path) -> None:
    add_model(str(tiny_model), name="mine")
    with pytest.raises(ModelError, match="in the model store already"):
        add_model(str(tiny_model), name="mine")


@pytest.mark.parametrize("name", ["../out", "a/b", ".hidden", "", "x.json"])
def test_a_name_cannot_leave_the_store(tiny_model: Path, name: str) -> None:
    with pytest.raises(ModelError, match="cannot be a name"):
        add_model(str(tiny_model), name=name)


def test_what_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(ModelError, match="not in the model store"):
        remove_model("qwen3-8b")


def test_a_folder_that_went_away_is_listed_and_can_be_removed(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    add_model(str(folder), name="mine")
    shutil.rmtree(folder)
    assert show_model("mine").folder is None
    with pytest.raises(ModelError, match="does not exist"):
        resolve_model("mine")
    remove_model("mine")


def test_a_model_of_the_catalogue_shows_licence_and_duties() -> None:
    info = show_model("llama-3.1-70b-instruct")
    assert info.folder is None
    assert info.gated
    assert info.duties is not None
    assert "Built with Llama" in info.duties["zh"]


def test_a_spoilt_folder_and_placed_wheels_do_not_spoil_the_list(own_home: Path) -> None:
    (own_home / "models" / "half").mkdir(parents=True)
    (own_home / "models" / "packages").mkdir()
    assert [info.name for info in list_models(here_only=True)] == ["chart-seedling", "half"]
