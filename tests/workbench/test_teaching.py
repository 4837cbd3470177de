"""A run of the shared machine makes a version of its owner's specialist, before it is written down as done."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from metier.core.errors import UserError
from metier.core.files import write_json
from metier.recipes.recipe import load_recipe
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.presets import new_recipe
from metier.workbench.store.tables import Job
from metier.workbench.workbench import Workbench
from tests.support.bench import PASSWORD, sign_up, wait_for


def _signed_up(client: TestClient, workbench: Workbench) -> Person:
    sign_up(client)
    person = workbench.accounts.person_of_token(workbench.accounts.sign_in("li", PASSWORD))
    assert person is not None
    return person


@pytest.mark.parametrize("outcome", ["better", "worse"])
def test_the_end_of_a_run_makes_a_version_of_its_specialist(
    client: TestClient, workbench: Workbench, outcome: str
) -> None:
    owner = _signed_up(client, workbench)
    workbench.scheduler.stop()
    job = workbench.jobs.submit(owner, "recipe", load_recipe("medical", profile="demo").to_dict())
    with workbench.database.write() as session:
        row = session.get(Job, job.id)
        assert row is not None
        row.state, row.token = "running", "t"
    folder = workbench.jobs.folder_of(job)
    (folder / layout.RUN / "steps" / "train" / "adapter").mkdir(parents=True)
    said = [{"en": "Said.", "zh": "说了。"}]
    summary = {"verdict": {"outcome": outcome, "metric": "choice_accuracy", "sentences": said}}
    write_json(folder / layout.RESULT, {"token": "t", "outcome": "done", "summary": summary})
    workbench.scheduler._look_at(workbench.jobs.get(owner, job.id))
    ended = workbench.jobs.get(owner, job.id)
    versions = client.get("/specialists/medical?tab=versions").text
    page = client.get(f"/runs/{job.id}").text
    if outcome == "worse":
        assert ended.summary["taught"]["version"] is None
        assert workbench.specialists.get(owner, "medical").shipped
        assert "/assistant?specialist=medical" not in page
        return
    made = workbench.specialists.get(owner, "medical")
    assert (made.version, made.specialist.adapter_name_or_path) == ("v1", f"run:{job.id}")
    assert "/assistant?specialist=medical" in page
    assert f'href="/runs/{job.id}"' in versions
    # Cut off before it was written down, it is looked at again: the version is there once.
    workbench.scheduler._settle(ended, summary)
    assert len(workbench.specialists.versions(owner, "medical")) == 2
    _removing_the_run_is_no_surprise(client, workbench, owner, job.id)


def _removing_the_run_is_no_surprise(client: TestClient, workbench: Workbench, owner: Person, run: str) -> None:
    """Who would remove it is told what answers with it; the specialist says what it is missing then."""
    title = workbench.specialists.get(owner, "medical").specialist.title.en
    for address in (f"/runs/{run}", "/runs"):
        assert f"In use: {title}." in client.get(address).text
    assert client.get(f"/api/v1/jobs/{run}").json()["specialists"] == ["medical"]
    assert "is missing" not in client.get("/specialists/medical").text
    client.post(f"/runs/{run}/remove")
    told = f"run:{run}, which trained it, has been removed"
    for address in ("/specialists/medical", "/assistant?specialist=medical"):
        assert told in client.get(address).text
    chat = client.post("/api/v1/assistant/chats", json={"specialist": "medical"}).json()["id"]
    client.post(f"/api/v1/assistant/chats/{chat}/questions", json={"text": "What is fever?"}).raise_for_status()

    def answer() -> dict[str, Any]:
        return dict(client.get(f"/api/v1/assistant/chats/{chat}").json()["turns"][1])

    wait_for(lambda: answer()["state"] != "writing", 10)
    assert told in str(answer())


def test_a_specialist_is_named_and_never_a_file_of_the_machine(client: TestClient, workbench: Workbench) -> None:
    owner = _signed_up(client, workbench)
    work = load_recipe("medical", profile="demo").to_dict()
    for name in ("/etc/one.yaml", "one.yaml", "nobody"):
        with pytest.raises(UserError):
            workbench.jobs.submit(owner, "recipe", {**work, "specialist": name})
    # Rows of one's own begin with the shipped recipe's settings, and do not make its specialist.
    assert "specialist" not in new_recipe(owner, workbench.datasets, workbench.jobs)
