"""Reports of the workbench: brought, read by a run, looked at figure by figure, and gone without a trace."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from metier.core.errors import ConfigError, DataError
from metier.specialists.spec import Specialist
from metier.workbench.accounts import Person
from metier.workbench.errors import ConflictError, NotFoundError, TooLargeError
from metier.workbench.workbench import Workbench
from tests.support.bench import member, sign_up, wait_for
from tests.support.reports import csv_report, give_report, pdf_report
from tests.support.upstream import upstream


def bring(workbench: Workbench, owner: Person, content: bytes, name: str = "report.csv") -> str:
    async def parts() -> AsyncIterator[bytes]:
        yield content

    return asyncio.run(workbench.findings.brought.receive(owner, name, parts())).id


@pytest.mark.slow
def test_a_report_is_read_by_a_run_and_told_figure_by_figure(client: TestClient) -> None:
    sign_up(client)
    name = "Annual%20report.pdf"
    upload = client.post(f"/api/v1/findings/uploads?name={name}", content=pdf_report()).json()
    assert upload["file_name"] == "Annual report.pdf"
    asked = {"upload": upload["id"], "question": "How did operating profit change?"}
    made = client.post("/api/v1/findings", json=asked, headers={"Idempotency-Key": "once"})
    assert made.status_code == 201, made.text
    again = client.post("/api/v1/findings", json=asked, headers={"Idempotency-Key": "once"})
    address = f"/api/v1/findings/{made.json()['id']}"
    assert again.json()["id"] == made.json()["id"]
    view = wait_for(lambda: (one := client.get(address).json())["state"] in ("done", "failed") and one)
    assert (view["state"], view["pages"], view["summary"]["flagged"]) == ("done", 2, 1), view
    wrong = next(one for one in view["findings"]["findings"] if one["kind"] == "contradiction")
    said, stands = wrong["figures"]
    assert (said["value"], stands["value"]) == ("210.3", "201.3")
    place = said["places"][0]
    boxes = client.get(f"{address}/boxes?start={place['start']}&end={place['end']}").json()
    assert [box["page"] for box in boxes] == [1]
    assert 0 < boxes[0]["left"] < boxes[0]["right"] < 1
    drawn = client.get(f"{address}/pages/2/picture?width=300")
    assert Image.open(io.BytesIO(drawn.content)).width == 300
    assert client.get(f"{address}/pages/3/picture").status_code == 404
    page = client.get(address.removeprefix("/api/v1")).text
    assert "210.3 million USD" in page
    assert client.get(f"/runs/{made.json()['id']}").headers["location"] == f"/findings/{made.json()['id']}"
    assert client.get(f"{address}/file").content[:5] == b"%PDF-"
    for suffix, start in (("html", b"<!doctype html>"), ("docx", b"PK"), ("xlsx", b"PK")):
        saved = client.get(f"{address}/report/{suffix}")
        assert saved.content.lower().startswith(start.lower())
        assert saved.headers["content-disposition"].startswith("attachment")
    assert client.get(f"{address}/report/pdf").status_code == 404
    assert client.post("/api/v1/findings", json={"upload": upload["id"]}).status_code == 404  # the run has it


def test_a_table_is_told_cell_by_cell(workbench: Workbench, owner: Person) -> None:
    job = give_report(workbench, owner, "statement.csv", csv_report())
    report = workbench.findings.read(owner, job.id)
    assert not report.pictured
    trend = next(one for one in report.findings.findings if one.kind == "trend" and "Revenue" in one.text)
    assert [figure.places[0].cell for figure in trend.figures[:2]] == ["B2", "C2"]
    with pytest.raises(NotFoundError):
        workbench.findings.picture(owner, job.id, 1, width=300)


def test_rules_are_answered_with_evidence_or_not_found(workbench: Workbench, owner: Person) -> None:
    rules = "The auditor.\nOperating profit is at least 250 million USD.\nA zoo is mentioned."
    job = give_report(workbench, owner, "Annual.pdf", pdf_report(), rules=rules)
    named, limit, nowhere = workbench.findings.read(owner, job.id).findings.rules
    assert (named.status, named.evidence[0].place.page) == ("found", 2)
    assert named.evidence[0].place.box is not None
    assert (limit.status, nowhere.status) == ("broken", "not_found")
    with pytest.raises(ConfigError, match="rules at most"):
        workbench.findings.again(owner, job.id, rules="a rule\n" * 300)


def test_what_was_found_is_its_owners_and_goes_without_a_trace(workbench: Workbench, owner: Person) -> None:
    job = give_report(workbench, owner, "canary-4712.csv", csv_report())
    assert workbench.quota.used_bytes(owner) == len(csv_report())
    other = member(workbench, owner, "wang")
    for asked in (workbench.findings.get, workbench.findings.read, workbench.findings.remove, workbench.findings.again):
        with pytest.raises(NotFoundError):
            asked(other, job.id)
    with pytest.raises(NotFoundError):
        workbench.findings.submit(other, bring(workbench, owner, csv_report()))
    workbench.findings.remove(owner, job.id)
    assert not workbench.jobs.folder_of(job).exists()
    assert workbench.findings.page(owner).total == 0


def test_a_file_that_came_is_read_or_let_go(workbench: Workbench, owner: Person) -> None:
    upload = bring(workbench, owner, csv_report(), "../../etc/passwd.csv")
    folder = workbench.findings.brought.folder / owner.id / upload
    assert sorted(path.name for path in folder.iterdir()) == ["file.csv", "said.json"]
    job = workbench.findings.submit(owner, upload, rules="The auditor is named.")
    assert (job.title, job.state, job.wanted_devices) == ("passwd.csv", "queued", 0)
    assert not folder.exists()
    once_more = workbench.findings.again(owner, job.id)
    assert once_more.spec["work"]["file_name"] == "passwd.csv"
    with pytest.raises(ConflictError):
        workbench.findings.read(owner, job.id)
    workbench.findings.remove(owner, job.id)  # one that waits is stopped by it
    with pytest.raises(DataError):
        bring(workbench, owner, b"")
    workbench.quota.upload_bytes = 10
    with pytest.raises(TooLargeError):
        bring(workbench, owner, csv_report())
    assert not [path for path in workbench.findings.brought.folder.rglob("*") if path.is_file()]


def test_nothing_of_the_machine_is_read_by_a_name_from_outside(workbench: Workbench, owner: Person) -> None:
    for work in ({"file": "/etc/passwd", "upload": "x"}, {}, {"upload": "a", "of": "b"}):
        with pytest.raises(ConfigError):
            workbench.jobs.submit(owner, "findings", work)
    for upload in ("../..", "..", "nothere"):
        with pytest.raises(NotFoundError):
            workbench.jobs.submit(owner, "findings", {"upload": upload})


def test_a_specialists_model_writes_beside_the_rules_and_its_wrong_figure_is_flagged(
    workbench: Workbench, owner: Person
) -> None:
    wrong = {
        "label": "Revenue",
        "value": "9,999.9",
        "unit": "million",
        "currency": "USD",
        "period": "2023",
        "working": "",
    }
    said = {"kind": "figure", "text": "Revenue was 9,999.9 million USD in 2023.", "exhibit": 1, "figures": [wrong]}
    answer = json.dumps({"answer": "It rose.", "findings": [said]})
    with upstream(tokens=1, words=lambda _: answer) as server:
        fields = {"address": server.address, "model": "paced", "context_length": 8192}
        writer = Specialist(name="reader", findings=True, server=fields)
        workbench.specialists.create(owner, writer)
        assert [one.specialist.name for one in workbench.findings.writers(owner)] == ["reader"]
        asked = {"specialist": "reader", "writer": writer.model_dump(mode="json"), "local": True}
        job = give_report(workbench, owner, "statement.csv", csv_report(), **asked)
    found = workbench.findings.read(owner, job.id).findings
    assert (found.model, found.answer) == ("paced", "It rose."), found.notices
    assert [one.by for one in found.flagged()] == ["model"]
    away = give_report(workbench, owner, "statement.csv", csv_report(), **asked)  # the server is gone: the rules stay
    assert workbench.findings.read(owner, away.id).findings.notices


def test_a_writer_is_frozen_with_its_report_and_only_ones_own(workbench: Workbench, owner: Person) -> None:
    fields = {"address": "https://models.example.com/v1", "model": "m", "api_key": "MODEL_SERVER_KEY"}
    workbench.specialists.create(owner, Specialist(name="reader", findings=True, server=fields))
    job = workbench.findings.submit(owner, bring(workbench, owner, csv_report()), specialist="reader")
    work = job.spec["work"]
    assert (work["writer"]["name"], work["keys"], work["local"]) == ("reader", ["MODEL_SERVER_KEY"], False)
    workbench.secrets.put(owner, "MODEL_SERVER_KEY", "mine")
    assert workbench.secrets.environment(job) == {"MODEL_SERVER_KEY": "mine"}
    other = member(workbench, owner, "wang")
    for name in ("reader", "legal"):
        with pytest.raises(NotFoundError):
            workbench.findings.submit(other, bring(workbench, other, csv_report()), specialist=name)
    for key, value in (("writer", {"name": "x"}), ("local", True), ("keys", ["MODEL_SERVER_KEY"])):
        with pytest.raises(ConfigError):
            workbench.jobs.submit(owner, "findings", {"of": job.id, key: value})
