"""Faults while a form is open, by the number of `checks/faults.md`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete

from metier.workbench.store.tables import Answered
from metier.workbench.workbench import Workbench
from tests.support.bench import client_of, opened, sign_up

WORK: dict[str, Any] = {"kind": "prepare", "work": {"dataset": "medical_demo_en_test"}}


def send(client: TestClient) -> str:
    return str(client.post("/api/v1/jobs", json=WORK, headers={"idempotency-key": "form-1"}).json()["id"])


@pytest.mark.parametrize("answer_kept", [True, False])
def test_fault_48_a_form_sent_again_after_a_restart_makes_no_second_job(tmp_path: Path, answer_kept: bool) -> None:
    """Also where the server was killed after the job was made and before its answer was written down."""
    with opened(tmp_path / "bench") as bench, client_of(bench) as client:
        sign_up(client)
        cookies = dict(client.cookies)
        first = send(client)
        if not answer_kept:
            with bench.database.write() as session:
                session.execute(delete(Answered))
    with opened(tmp_path / "bench") as bench, client_of(bench) as client:
        client.cookies.update(cookies)
        assert send(client) == first
        assert client.get("/api/v1/jobs").json()["total"] == 1


@pytest.mark.slow
def test_fault_48_the_page_waits_for_a_restarted_server_and_sends_once(
    served: str, tab: Any, workbench: Workbench
) -> None:
    """The page's requests fail as if the server were away, then answers are lost once they were given."""
    from tests.support.bench import PASSWORD

    tab.open(served + "/", width=1440)
    tab.fill("[name=name]", "li")
    tab.fill("[name=password]", PASSWORD)
    tab.submit(".fields button")
    tab.open(served + "/fine-tune", width=1440)
    tab.wait_for("document.getElementById('tune-command').textContent")
    tab.evaluate(
        "window.real = window.fetch; window.tries = 0; window.fetch = async (address, options) => {"
        " if (address !== '/api/v1/jobs') return real(address, options);"
        " tries += 1; if (tries === 1) throw new TypeError('away');"
        " const answer = await real(address, options); if (tries === 2) throw new TypeError('lost');"
        " return answer; }; 0"
    )
    tab.evaluate("document.getElementById('tune-start').click()")
    tab.wait_for("!document.getElementById('tune-problem').classList.contains('hidden')")
    tab.wait_for("location.pathname.startsWith('/runs/')")
    assert tab.evaluate("fetch('/api/v1/jobs').then((answer) => answer.json())")["total"] == 1
