"""What a run has trained becomes a version of a specialist, unless it is worse; where a version came from is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.core.errors import ConfigError
from metier.core.events import EventLog
from metier.core.files import write_json
from metier.specialists.spec import Specialist
from metier.specialists.store import Origin, Specialists
from metier.specialists.taught import TaughtSpec, is_taught, origin_text, run_teaching, teach


@pytest.mark.parametrize("outcome", ["better", "mixed", "no_improvement", "worse"])
def test_a_version_is_made_unless_what_was_trained_is_worse(outcome: str, tmp_path: Path) -> None:
    store = Specialists(tmp_path / "store")
    store.edit("local", store.get("local", "medical").specialist.model_copy(update={"system_prompt": "Be brief."}))
    write_json(tmp_path / "compare.json", {"verdict": {"outcome": outcome}})
    spec = TaughtSpec(specialist="medical", model_name_or_path="smollm2-135m", adapter_name_or_path="/runs/x/adapter")
    folder = tmp_path / "step"
    folder.mkdir()
    summary = run_teaching(
        spec, folder, EventLog(None), tmp_path / "compare.json", tmp_path / "2026-11-28-medical", specialists=store
    )
    newest = store.get("local", "medical")
    assert newest.specialist.system_prompt == "Be brief."  # what its owner wrote stays
    if outcome == "worse":
        assert (summary["version"], newest.version, newest.specialist.adapter_name_or_path) == (None, "v1", None)
        assert is_taught(folder, store)  # nothing was made, so nothing is missing
        return
    assert (summary["version"], newest.version) == ("v2", "v2")
    assert newest.specialist.adapter_name_or_path == "/runs/x/adapter"
    assert (newest.origin.outcome, Path(newest.origin.run).name) == (outcome, "2026-11-28-medical")
    assert "2026-11-28-medical" in origin_text(newest)
    assert origin_text(store.get("local", "medical", "v1")) == "written by hand"
    assert is_taught(folder, store)
    store.remove("local", "medical")
    assert not is_taught(folder, store)  # the run makes it again


def test_a_specialist_of_a_file_is_made_first(tmp_path: Path) -> None:
    store = Specialists(tmp_path / "store")
    (tmp_path / "mine.yaml").write_text("name: mine\nsystem_prompt: Be kind.\n", encoding="utf-8")
    spec = TaughtSpec(specialist=str(tmp_path / "mine.yaml"), model_name_or_path=str(tmp_path), enable_thinking=False)
    made = teach(spec, store, "local", Origin(run="run:1"))
    assert [one.version for one in store.versions("local", "mine")] == ["v2", "v1"]
    assert (made.specialist.model_name_or_path, made.specialist.enable_thinking) == (str(tmp_path), False)
    assert teach(spec, store, "local", Origin(run="run:1")).version == "v2"  # the same again is no version


def test_a_specialist_that_is_not_there_is_said_before_anything_is_spent(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="medical"):
        teach(TaughtSpec(specialist="medicl", model_name_or_path="x"), Specialists(tmp_path), "local", Origin())


def test_origins_are_kept_apart_from_what_the_specialist_is(tmp_path: Path) -> None:
    store = Specialists(tmp_path)
    store.create("li", Specialist(name="house"))
    kept = store.edit("li", Specialist(name="house", system_prompt="Be brief."), Origin(version="v1"))
    assert Specialists(tmp_path).get("li", "house") == kept
    assert kept.origin == Origin(version="v1")
