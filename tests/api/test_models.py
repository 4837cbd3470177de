"""Models over the API: the catalogue with what fits, the store, what own runs trained."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient

from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench
from tests.faults.children import give_data, give_model, training
from tests.support.bench import PASSWORD, sign_up


def test_the_catalogue_is_searched_and_paged_and_what_is_here_comes_first(client: TestClient, tiny_model: Path) -> None:
    sign_up(client)
    give_model(tiny_model)
    page = client.get("/api/v1/models", params={"limit": 10}).json()
    assert [one["name"] for one in page["models"][:2]] == ["chart-seedling", "tiny"]  # the first comes with the package
    assert [(one["here"], one["listed"]) for one in page["models"][:3]] == [(True, True), (True, False), (False, True)]
    following = client.get("/api/v1/models", params={"limit": 10, "after": page["next"]}).json()
    assert not {one["name"] for one in page["models"]} & {one["name"] for one in following["models"]}
    found = client.get("/api/v1/models", params={"search": "qwen3 8b"}).json()["models"]
    assert [one["name"] for one in found] == ["qwen3-8b", "qwen3-vl-8b-instruct"]
    fit = found[0]["fit"]
    assert 16e9 < fit["chat_bytes"] < fit["train_bytes"] < 90e9
    assert client.get("/api/v1/models/Qwen/Qwen3-8B").json()["name"] == "qwen3-8b"
    assert client.get("/api/v1/models/nobody/nothing").status_code == 404


def test_what_a_run_trained_is_listed_for_its_owner_alone(
    workbench: Workbench, owner: Person, client: TestClient, tiny_model: Path
) -> None:
    give_model(tiny_model)
    give_data(workbench, owner)
    job = workbench.jobs.submit(owner, "train", training())
    workbench.jobs.cancel(owner, job.id)
    adapter = workbench.jobs.folder_of(job) / layout.RUN / "steps" / "train" / "adapter"
    adapter.mkdir(parents=True)
    (adapter / "adapter_model.safetensors").write_bytes(b"x" * 100)
    client.post("/api/v1/session", json={"name": "li", "password": PASSWORD})
    trained = client.get("/api/v1/models").json()["trained"]
    assert [(one["reference"], one["base"], one["size"]) for one in trained] == [(f"run:{job.id}", "tiny", 100)]
    shown = client.get("/models", headers={"Accept": "text/html"}).text
    assert f"/chat?model=run%3A{job.id}" in shown
    invitation = workbench.accounts.invite(owner)
    client.cookies.clear()
    sign_up(client, "wang", invitation=invitation)
    assert client.get("/api/v1/models").json()["trained"] == []


def test_a_wish_for_a_model_becomes_one_job(workbench: Workbench, owner: Person, client: TestClient) -> None:
    workbench.scheduler.stop()
    client.post("/api/v1/session", json={"name": "li", "password": PASSWORD})
    for _ in range(2):
        assert client.post("/models/qwen3-8b/fetch").status_code == 303
    assert [job.kind for job in workbench.jobs.queue()] == ["fetch"]
    assert client.get("/api/v1/models/qwen3-8b").json()["fetch"] == workbench.jobs.queue()[0].id
    client.post("/models/qwen3-8b/stop")
    assert workbench.jobs.queue() == []
