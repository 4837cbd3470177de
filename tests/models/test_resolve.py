"""From what the user wrote to a folder, and the one error that says where to place files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from metier.core.errors import ModelError
from metier.core.files import write_manifest
from metier.core.settings import settings
from metier.models import model_identity, resolve_model
from metier.models.library import add_model


def test_any_local_folder_works_without_being_listed(tiny_model: Path) -> None:
    resolved = resolve_model(str(tiny_model))
    assert resolved.folder == tiny_model
    assert resolved.entry is None


def test_files_placed_in_the_store_by_hand_are_found_by_name(tiny_model: Path, own_home: Path) -> None:
    shutil.copytree(tiny_model, own_home / "models" / "qwen3-8b")
    resolved = resolve_model("Qwen/Qwen3-8B")
    assert resolved.folder == own_home / "models" / "qwen3-8b"
    assert resolved.entry is not None


@pytest.mark.parametrize(
    "reference", ["qwen3-8b", "hf:Qwen/Qwen3-8B", "some-team/some-model", "hf:some-team/some-model"]
)
def test_offline_one_error_says_where_to_place_the_files(
    reference: str, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METIER_OFFLINE", "1")
    settings.cache_clear()
    with pytest.raises(ModelError) as caught:
        resolve_model(reference)
    name = "qwen3-8b" if "wen3" in reference else "some-team--some-model"
    assert f"in {own_home / 'models' / name}, or give the path" in str(caught.value)
    assert "放到" in caught.value.text("zh")


def test_the_hub_is_not_asked_where_huggingface_is_told_to_be_offline() -> None:
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        resolve_model("qwen3-8b")


def test_a_misspelt_name_gets_the_nearest_one() -> None:
    with pytest.raises(ModelError, match=r"no model “qwen3-8bb” \(→ qwen3-8b\?\)"):
        resolve_model("qwen3-8bb")


def test_a_folder_that_is_not_there_is_not_taken_for_a_hub_id() -> None:
    with pytest.raises(ModelError, match="There is no model"):
        resolve_model("./models/nothing")


def test_identity_changes_with_one_byte_of_the_weights(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    before = model_identity(resolve_model(str(folder)))
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    after = model_identity(resolve_model(str(folder)))
    assert before["weights_sha256"] != after["weights_sha256"]
    assert before["config_sha256"] == after["config_sha256"]


def test_hashes_are_remembered(tiny_model: Path, own_home: Path) -> None:
    resolved = resolve_model(str(tiny_model))
    first = model_identity(resolved)
    for note in (own_home / "cache" / "sha256").iterdir():
        values = json.loads(note.read_text())
        note.write_text(json.dumps({**values, "sha256": "remembered"}))
    assert first["config_sha256"] != "remembered"
    assert model_identity(resolved)["config_sha256"] == "remembered"


def test_a_registered_folder_is_found_by_its_name(tiny_model: Path) -> None:
    add_model(str(tiny_model), name="mine")
    assert resolve_model("mine").folder == tiny_model.resolve()


def test_what_the_store_hashed_is_believed_until_a_file_is_newer(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    write_manifest(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["config.json"]["sha256"] = "from the manifest"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert model_identity(resolve_model(str(folder)))["config_sha256"] == "from the manifest"
    (folder / "config.json").write_text((folder / "config.json").read_text() + "\n")
    os.utime(folder / "config.json", (2**32, 2**32))
    assert len(model_identity(resolve_model(str(folder)))["config_sha256"]) == 64
