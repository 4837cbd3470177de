"""Which models can be asked about pictures is known before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metier.models import list_models
from metier.workbench.sight import sees, takes_pictures, works


def test_the_catalogue_says_which_models_see() -> None:
    assert takes_pictures("llama-3.2-11b-vision-instruct")
    assert not takes_pictures("smollm2-135m")
    assert not takes_pictures("nobody")
    assert all(works(info) for info in list_models() if not info.vision)


@pytest.mark.parametrize(("kind", "known"), [("mllama", True), ("someone_else", False)])
def test_a_folder_says_it_by_its_own_files(tmp_path: Path, kind: str, known: bool, tiny_model: Path) -> None:
    from metier.models import add_model, show_model

    folder = tmp_path / kind
    folder.mkdir()
    for file in tiny_model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": kind, "vision_config": {"image_size": 28}}))
    add_model(str(folder), name=kind)
    info = show_model(kind)
    assert info.vision
    assert (sees(info), works(info), takes_pictures(kind)) == (known, known, known)
