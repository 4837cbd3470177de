from __future__ import annotations

from pathlib import Path

import pytest

from metier.core.errors import ConfigError
from metier.specialists.spec import Specialist
from metier.specialists.store import Specialists, read_specialist


def test_each_edit_is_a_version_and_old_ones_stay(tmp_path: Path) -> None:
    store = Specialists(tmp_path)
    first = store.create("li", Specialist(name="house", system_prompt="Be brief."))
    second = store.edit("li", first.specialist.model_copy(update={"system_prompt": "Be kind."}))
    assert (first.version, second.version, store.edit("li", second.specialist).version) == ("v1", "v2", "v2")
    assert store.get("li", "house", "v1").specialist.system_prompt == "Be brief."
    assert store.get("li", "house").specialist == second.specialist


def test_editing_a_shipped_one_makes_ones_own_and_removing_it_gives_the_plain_one_back(tmp_path: Path) -> None:
    store = Specialists(tmp_path)
    shipped = store.get("li", "medical")
    store.edit("li", shipped.specialist.model_copy(update={"system_prompt": "Be brief."}))
    assert (shipped.shipped, store.get("li", "medical").version) == (True, "v1")
    assert store.get("wang", "medical") == shipped
    store.remove("li", "medical")
    assert store.get("li", "medical") == shipped


def test_owners_are_apart_and_names_never_become_paths(tmp_path: Path) -> None:
    store = Specialists(tmp_path)
    store.create("li", Specialist(name="house"))
    for owner, name in (("wang", "house"), ("li", "../li/house"), ("li", "hous")):
        with pytest.raises(ConfigError):
            store.get(owner, name)
    with pytest.raises(ConfigError):
        store.list("../li")


def test_a_misspelt_key_in_a_file_is_named_with_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\nsystem_promt: hello\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="system_prompt"):
        read_specialist(file)
