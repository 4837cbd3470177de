"""Attacks by the values of parameters, by the number of `checks/attacks.md`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from metier.data import message
from tests.support.bench import sign_up

DATA = {"train": "medical_demo_en", "test": "medical_demo_en_test"}


def refused(client: TestClient, kind: str, work: dict[str, Any]) -> bool:
    """Whether both the check and the submission refuse it, and no job is left."""
    body = {"kind": kind, "work": work}
    answers = [client.post(f"/api/v1/{address}", json=body) for address in ("check", "jobs")]
    assert client.get("/api/v1/jobs").json()["total"] == 0
    return [answer.status_code for answer in answers] == [422, 422]


@pytest.mark.parametrize(
    "values",
    [
        {"output_dir": "; touch x"},
        {"output_dir": "x\n--deepspeed=/etc/passwd"},
        {"deepspeed": "/etc/passwd"},
        {"--deepspeed": "/etc/passwd"},
        {"dataset_dir": "/etc"},
        {"num_train_epochs": "$(id)"},
        {"device": "cpu; touch x"},
        {"dtype": "-rf"},
        {"report_to": ["wandb; id"]},
        {"template": "$(id)"},
        {"adapter_name_or_path": "/etc"},
    ],
)
def test_attack_44_a_parameter_that_is_a_path_an_option_or_a_command_is_refused(
    client: TestClient, values: dict[str, Any]
) -> None:
    sign_up(client)
    assert refused(client, "train", {"dataset": "medical_demo_en", **values})
    assert refused(client, "recipe", {"name": "x", "data": DATA, "train": values})


def test_attack_44_texts_stay_texts_in_the_command_and_the_yaml(client: TestClient) -> None:
    sign_up(client)
    hostile = "--deepspeed=/etc/passwd\n$(id) `id` ; touch x"
    work = {"name": hostile, "data": DATA, "train": {"run_name": hostile}}
    checked = client.post("/api/v1/check", json={"kind": "recipe", "work": work}).json()
    assert checked["command"].split() == ["metier", "run", "deepspeed-etc-passwd-id-id-touch-x.yaml"]
    assert client.post("/api/v1/recipes/read", json={"text": checked["yaml"]}).json()["work"] == checked["brief"]


@pytest.mark.parametrize(
    "values",
    [
        {"model_name_or_path": "../../etc"},
        {"model_name_or_path": "/etc"},
        {"model_name_or_path": "http://evil/model"},
        {"model_name_or_path": "hf:evil/repo"},
        {"model_name_or_path": "evil/repo"},
        {"model_name_or_path": "pypi:evil"},
        {"model_name_or_path": "run:../../etc"},
        {"revision": "main"},
        {"revision": "refs/pr/1"},
    ],
)
def test_attack_45_a_model_that_is_not_in_the_catalogue_or_not_pinned_is_refused(
    client: TestClient, values: dict[str, Any]
) -> None:
    sign_up(client)
    assert refused(client, "train", {"dataset": "medical_demo_en", **values}) or "run:" in str(values)
    assert client.post("/api/v1/jobs", json={"kind": "fetch", "work": {"model": "evil/repo"}}).status_code == 422
    assert client.post("/api/v1/jobs", json={"kind": "recipe", "work": {"data": DATA, **values}}).status_code >= 400
    assert client.get("/api/v1/jobs").json()["total"] == 0


@pytest.mark.parametrize("text", ["{{7*7}}", "{0.__class__}", "%s" * 100, "{% for x in y %}", "{text} {name!r}"])
def test_attack_46_a_prompt_is_text_and_no_template(client: TestClient, tiny_model: Path, text: str) -> None:
    from metier.models import resolve_model
    from metier.rendering import load_renderer

    sign_up(client)
    work = {"dataset": "medical_demo_en", "system_prompt": text}
    answer = client.post("/api/v1/check", json={"kind": "predict", "work": work})
    assert answer.json()["work"]["system_prompt"] == text
    prompt = load_renderer(resolve_model(str(tiny_model))).prompt([message("system", text), message("user", text)])
    assert prompt.text.count(text) == 2
    assert refused(client, "predict", {"dataset": "medical_demo_en", "template": text})


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "metier.core:files", "__class__", "../bleu4"])
@pytest.mark.parametrize("key", ["evaluate.metrics", "compare.metrics", "compare.primary", "predict.engine"])
def test_attack_47_a_metric_or_engine_is_a_name_of_its_registry(client: TestClient, name: str, key: str) -> None:
    sign_up(client)
    section, _, field = key.partition(".")
    value: Any = [name] if field == "metrics" else name
    assert refused(client, "recipe", {"name": "x", "data": DATA, section: {field: value}})


def test_attack_47_settings_of_a_server_engine_are_on_a_list(client: TestClient) -> None:
    sign_up(client)
    for settings in ({"worker_cls": "os.system"}, {"tensor_parallel_size": "$(id)"}, {"download_dir": "/etc"}):
        assert refused(client, "predict", {"dataset": "medical_demo_en", "vllm_config": settings})
