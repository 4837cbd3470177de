"""Configurations over the API: checked, kept, read from YAML, changed in a copy."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from metier.recipes.recipe import load_recipe
from tests.support.bench import sign_up

WORK: dict[str, Any] = {"name": "mine", "data": {"train": "medical_demo_en", "test_rows": 20}, "seed": 7}


def test_everything_that_is_wrong_is_named_at_once_in_the_readers_language(client: TestClient) -> None:
    sign_up(client)
    work = {**WORK, "cutoff_len": 2, "train": {"learning_rate": "fast", "lora_rank": 0, "lora_rnk": 1}}
    answer = client.post("/api/v1/check", json={"kind": "recipe", "work": work}, headers={"accept-language": "zh"})
    assert answer.status_code == 422
    found = {one["field"]: one["message"] for one in answer.json()["errors"]}
    assert set(found) == {"cutoff_len", "train.learning_rate", "train.lora_rank", "train.lora_rnk"}
    assert found["train.lora_rank"] == "不能小于 1。"


def test_a_refused_job_says_at_the_field_what_is_wrong_and_where_in_whole_sentences(client: TestClient) -> None:
    sign_up(client)
    body = {"kind": "recipe", "work": {**WORK, "train": {"cutoff_len": 3}}}
    answer = client.post("/api/v1/jobs", json=body, headers={"accept-language": "zh"})
    assert answer.status_code == 422
    assert [one["message"] for one in answer.json()["errors"]] == ["不能小于 8。"]
    assert answer.json()["detail"].endswith("cutoff_len = 3：不能小于 8。请更正该值。")


def test_names_are_looked_up_beside_values_that_are_wrong(client: TestClient) -> None:
    sign_up(client)
    work = {"dataset": "of-nobody", "model_name_or_path": "no-model", "lora_rank": 0}
    answer = client.post("/api/v1/check", json={"kind": "train", "work": work}).json()
    assert {one["field"] for one in answer["errors"]} == {"dataset", "model_name_or_path", "lora_rank"}


@pytest.mark.parametrize("profile", ["demo", "single-gpu"])
def test_what_is_shown_as_yaml_is_read_back_as_the_same(client: TestClient, profile: str) -> None:
    sign_up(client)
    work = load_recipe("medical", profile=profile).brief()
    checked = client.post("/api/v1/check", json={"kind": "recipe", "work": work}).json()
    read = client.post("/api/v1/recipes/read", json={"text": checked["yaml"]}).json()
    assert read == {"kind": "recipe", "work": work, "unread": []}
    again = client.post("/api/v1/check", json={"kind": "recipe", "work": read["work"]}).json()
    assert again["work"] == checked["work"]


def test_a_training_is_a_command_and_a_flat_file(client: TestClient) -> None:
    sign_up(client)
    work = {
        "dataset": "medical_demo_en",
        "learning_rate": 3e-4,
        "lora_target": "q_proj,$(id)",
        "train_on_history": True,
    }
    checked = client.post("/api/v1/check", json={"kind": "train", "work": work}).json()
    assert "--learning_rate 0.0003" in checked["command"]
    assert checked["own"] == []
    assert "'q_proj,$(id)'" in checked["command"]
    read = client.post("/api/v1/recipes/read", json={"text": checked["yaml"], "kind": "train"}).json()
    assert read["kind"] == "train"
    assert read["work"] == checked["brief"]


def test_aliases_are_not_unfolded(client: TestClient) -> None:
    sign_up(client)
    text = "a: &a [x, x]\nb: &b [*a, *a]\ndata: {train: *b}\n"
    answer = client.post("/api/v1/recipes/read", json={"text": text})
    assert answer.status_code == 422
    assert "aliases" in answer.json()["detail"]


def test_recipes_are_kept_renamed_replaced_and_removed_by_their_owner_only(client: TestClient) -> None:
    sign_up(client)
    invitation = client.post("/api/v1/invitations", json={}).json()["invitation"]
    body = {"kind": "recipe", "work": WORK, "name": "<b>知识</b>"}
    row = client.post("/api/v1/recipes", json=body, headers={"idempotency-key": "k"}).json()
    assert client.post("/api/v1/recipes", json=body, headers={"idempotency-key": "k"}).json() == row
    assert row["work"]["seed"] == 7
    assert "predict" not in row["work"]
    assert client.post("/api/v1/recipes", json=body).status_code == 409
    replaced = client.post("/api/v1/recipes", json={**body, "replace": True}).json()
    address = f"/api/v1/recipes/{replaced['id']}"
    assert client.patch(address, json={"name": "other"}).json()["name"] == "other"
    own = dict(client.cookies)
    client.cookies.clear()
    sign_up(client, "wang", invitation=invitation)
    assert client.get("/api/v1/recipes").json()["recipes"] == []
    assert [client.get(address).status_code, client.delete(address).status_code] == [404, 404]
    assert client.patch(address, json={"name": "x"}).status_code == 404
    client.cookies.clear()
    client.cookies.update(own)
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


def test_a_shared_key_of_a_copy_changes_in_every_section_that_had_it(client: TestClient) -> None:
    sign_up(client)
    work = {**WORK, "data": {"train": "medical_demo_en", "test": "medical_demo_en_test"}, "predict": {"seed": 5}}
    job = client.post("/api/v1/jobs", json={"kind": "recipe", "work": work}).json()
    changes = {"seed": 99, "data.train": "medical_sample_en", "train.learning_rate": 2e-4}
    copy = client.post(f"/api/v1/jobs/{job['id']}/clone", json={"changes": changes}).json()["work"]
    seeds = {name: copy[name]["seed"] for name in ("train", "guard", "evaluate", "predict")}
    assert seeds == {"train": 99, "guard": 99, "evaluate": 99, "predict": 5}
    assert [copy[name]["dataset"] for name in ("prepare", "train")] == ["medical_sample_en"] * 2
    assert copy["train"]["learning_rate"] == 2e-4
