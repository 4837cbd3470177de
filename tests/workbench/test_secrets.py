"""Keys of services: given to the job that names their use, and to no other (attack 48)."""

from __future__ import annotations

from typing import Any

import pytest

from metier.workbench.accounts import Person
from metier.workbench.backends.local import clean_environment
from metier.workbench.secrets import Box
from metier.workbench.store.tables import Job
from metier.workbench.workbench import Workbench
from tests.support.bench import member


def job(owner: Person, kind: str, **work: Any) -> Job:
    return Job(owner_id=owner.id, kind=kind, title="a", spec={"asked": work, "work": work})


def test_a_key_goes_to_the_job_that_names_its_use(workbench: Workbench, owner: Person) -> None:
    other = member(workbench, owner, "wang")
    for name in ("SWANLAB_API_KEY", "HF_TOKEN", "MODELSCOPE_API_TOKEN"):
        workbench.secrets.put(owner, name, f"value of {name}")
    given = workbench.secrets.environment
    assert given(job(owner, "train", report_to=["swanlab"])) == {"SWANLAB_API_KEY": "value of SWANLAB_API_KEY"}
    assert given(job(owner, "recipe", train={"report_to": "swanlab"})) == given(
        job(owner, "train", report_to="swanlab")
    )
    assert set(given(job(owner, "fetch", model="x"))) == {"HF_TOKEN", "MODELSCOPE_API_TOKEN"}
    for mine in (job(owner, "train", report_to=["tensorboard"]), job(owner, "predict"), job(owner, "prepare")):
        assert given(mine) == {}
    assert given(job(other, "train", report_to=["swanlab"])) == {}


def test_a_child_sees_nothing_of_the_servers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("METIER_SECRET", "METIER_DATABASE_URL", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD"):
        monkeypatch.setenv(name, "canary")
    assert "canary" not in clean_environment().values()


def test_what_another_secret_sealed_stays_shut() -> None:
    sealed = Box("a secret of sixteen").seal("hidden")
    assert Box("a secret of sixteen").open(sealed) == "hidden"
    assert Box("another secret of it").open(sealed) is None
    assert Box("a secret of sixteen").open("nonsense é") is None
