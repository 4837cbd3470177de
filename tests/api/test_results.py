"""What evaluations found, over the API: scores with definitions, rows in any order, tables for spreadsheets."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil

import openpyxl
import pytest
from fastapi.testclient import TestClient

from metier.workbench.accounts import Person
from metier.workbench.results import Results
from metier.workbench.store.tables import Job
from metier.workbench.workbench import Workbench
from tests.support.bench import PASSWORD, member
from tests.support.ended import written
from tests.support.finished import CHARTS, add_job, answers, chart_job, recipe_job


@pytest.fixture
def li(client: TestClient, owner: Person) -> TestClient:
    """A client in which the owner is signed in."""
    client.post("/api/v1/session", json={"name": "li", "password": PASSWORD}).raise_for_status()
    return client


def test_scores_of_both_models_come_with_intervals_and_definitions(
    li: TestClient, workbench: Workbench, owner: Person
) -> None:
    job = recipe_job(workbench, owner)
    found = li.get(f"/api/v1/jobs/{job.id}/results").json()
    first = found["scores"][0]
    assert first["name"] == "choice_accuracy" and first["decides"]
    assert first["value"]["score"] == pytest.approx(10 / 12)
    assert first["base"]["score"] == pytest.approx(2 / 12)
    assert first["change"]["low"] < first["change"]["difference"] < first["change"]["high"]
    assert "letters read from the answer" in first["definition"] and first["described"]["tokenizer"]
    assert found["predict_keys"]["predict_bleu-4"] > 0
    assert found["verdict"]["outcome"] == "better"
    alone = li.get(f"/api/v1/jobs/{job.id}/results", params={"step": "evaluate-base"}).json()
    assert not alone["compared"] and alone["scores"][0]["value"]["score"] == pytest.approx(2 / 12)
    assert li.get(f"/api/v1/jobs/{job.id}/results", params={"step": "../prepare"}).status_code == 404


def test_rows_come_worst_first_and_can_be_searched_and_paged(
    li: TestClient, workbench: Workbench, owner: Person
) -> None:
    job = recipe_job(workbench, owner, tuned=answers(12, 10, said={3: "头痛 <b>"}))
    address = f"/api/v1/jobs/{job.id}/results/rows"
    page = li.get(address, params={"limit": 5}).json()
    assert page["total"] == 12 and page["next"] == 5
    assert {row["row"] for row in page["rows"][:3]} == {4, 11, 12}
    assert page["rows"][0]["base"]["text"] and page["rows"][0]["answer"]["scores"]["choice_accuracy"] == 0.0
    last = li.get(address, params={"limit": 5, "after": 10}).json()
    assert len(last["rows"]) == 2 and last["next"] is None
    hits = li.get(address, params={"search": "头痛"}).json()
    assert [row["row"] for row in hits["rows"]] == [4]
    gained = li.get(address, params={"order": "gained", "metric": "choice_accuracy", "limit": 1}).json()
    assert gained["rows"][0]["answer"]["scores"]["choice_accuracy"] == 1.0
    assert gained["rows"][0]["base"]["scores"]["choice_accuracy"] == 0.0


def test_answers_can_be_looked_at_while_they_are_made(li: TestClient, workbench: Workbench, owner: Person) -> None:
    job = add_job(workbench, owner, "predict", state="running", dataset="cases")
    file = written(workbench.jobs.folder_of(job) / "run" / "steps" / "predict", answers(3, 3))
    with file.open("a", encoding="utf-8") as growing:
        growing.write('{"prompt": "half')
    rows = li.get(f"/api/v1/jobs/{job.id}/results/rows").json()
    assert rows["total"] == 3 and rows["rows"][0]["answer"]["scores"] == {}


def test_results_are_the_owners(li: TestClient, workbench: Workbench, owner: Person) -> None:
    other = member(workbench, owner, "wang")
    job = recipe_job(workbench, other)
    for path in ("results", "results/rows", "results/rows.csv", "results/rows.xlsx", "shares", "files"):
        assert li.get(f"/api/v1/jobs/{job.id}/{path}").status_code == 404, path
    assert li.get(f"/evaluate/{job.id}").status_code == 404
    assert li.get(f"/reports/{job.id}").status_code == 404
    assert li.get(f"/reports/{job.id}/page").status_code == 404


def test_attack_35_no_cell_of_an_export_is_a_formula(li: TestClient, workbench: Workbench, owner: Person) -> None:
    said = {0: '=HYPERLINK("http://evil","x")', 1: "+cmd|' /C calc'!A0", 2: "@SUM(A1)", 3: "-1+2", 4: "\t=1", 5: "\r=1"}
    said |= {6: "\x00\x0b= \ud800", 7: "＝1+1", 8: " =1"}
    job = recipe_job(workbench, owner, tuned=answers(12, 10, said=said))
    text = li.get(f"/api/v1/jobs/{job.id}/results/rows.csv")
    assert text.headers["content-disposition"].startswith("attachment") and text.content.startswith(b"\xef\xbb\xbf")
    table = list(csv.DictReader(io.StringIO(text.content.decode("utf-8-sig"), newline="")))
    assert len(table) == 12 and float(table[9]["choice_accuracy"]) == 1.0
    assert table[0]["answer"] == """'=HYPERLINK("http://evil","x")"""
    sheet = openpyxl.load_workbook(io.BytesIO(li.get(f"/api/v1/jobs/{job.id}/results/rows.xlsx").content)).active
    cells = [cell for line in sheet.iter_rows(min_row=2) for cell in line]
    assert len(cells) > 12 * 10 and {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    for value in [*(one for row in table for one in row.values()), *(cell.value for cell in cells)]:
        if isinstance(value, str) and value and not value.replace(".", "").isdigit():
            assert not value.lstrip().startswith(("=", "+", "-", "@", "＝")) and value[:1] not in "\t\r"


def test_an_evaluation_of_anothers_answers_does_not_lead_outside(
    workbench: Workbench, owner: Person, client: TestClient
) -> None:
    job = add_job(workbench, owner, "evaluate")
    step = workbench.jobs.folder_of(job) / "run" / "steps" / "evaluate"
    step.mkdir(parents=True)
    metrics = {"predictions": {"file": "/etc/passwd"}, "metrics": {}}
    (step / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    results: Results = workbench.results
    assert results.get(owner, job.id).side.predictions is None


def test_the_list_of_reports_has_what_has_one(li: TestClient, workbench: Workbench, owner: Person) -> None:
    made = recipe_job(workbench, owner, title="Heart")
    add_job(workbench, owner, "score", title="Alone", predict={"dataset": "cases"})
    add_job(workbench, owner, "recipe", title="At work", state="running")
    compared = add_job(workbench, owner, "score", title="Beside", predict={"dataset": "cases"})
    with workbench.database.write() as session:
        row = session.get(Job, compared.id)
        assert row is not None
        row.summary = {"verdict": {"outcome": "better"}, "gain": made.summary["gain"]}
    listed = li.get("/api/v1/reports").json()
    assert [one["title"] for one in listed["reports"]] == ["Beside", "Heart"] and listed["total"] == 2
    assert listed["reports"][0]["test"] == "cases" and listed["reports"][1]["gain"]["difference"] > 0.5
    first = li.get("/api/v1/reports", params={"limit": 1}).json()
    assert li.get("/api/v1/reports", params={"after": first["next"]}).json()["reports"][0]["title"] == "Heart"
    assert [one["title"] for one in li.get("/api/v1/reports?search=hea").json()["reports"]] == ["Heart"]


def test_a_comparison_alone_shows_the_scores_of_both(li: TestClient, workbench: Workbench, owner: Person) -> None:
    made = recipe_job(workbench, owner)
    alone = add_job(workbench, owner, "compare")
    steps = workbench.jobs.folder_of(alone) / "run" / "steps"
    shutil.copytree(workbench.jobs.folder_of(made) / "run" / "steps" / "compare", steps / "compare")
    found = li.get(f"/api/v1/jobs/{alone.id}/results").json()
    assert found["scores"][0]["change"]["difference"] == pytest.approx(8 / 12)
    assert li.get(f"/api/v1/jobs/{alone.id}/results/rows").json()["total"] == 0
    assert li.get(f"/evaluate/{alone.id}").status_code == 200


def test_a_page_says_that_the_set_was_trained_on(li: TestClient, workbench: Workbench, owner: Person) -> None:
    run = add_job(workbench, owner, "recipe", data={"train": "law", "test": "law_test"})
    words = "trained on this very set"
    for name, told in (("law", True), ("law_test", False)):
        made = add_job(workbench, owner, "score", predict={"model_name_or_path": f"run:{run.id}", "dataset": name})
        assert (words in li.get(f"/evaluate/{made.id}").text) is told
    assert 'data-taught="law"' in li.get("/evaluate").text


def test_a_comparison_says_what_is_missing(li: TestClient, workbench: Workbench, owner: Person) -> None:
    trained = add_job(workbench, owner, "train", dataset="law")
    scored = add_job(workbench, owner, "score", predict={"dataset": "law"}, model_name_or_path=None, data=None)
    again = add_job(workbench, owner, "train", dataset="law")
    assert "at least one run" in li.get("/compare?search=").text
    assert "at least one run" not in li.get("/compare").text + li.get("/compare?search=law&choose=1").text
    assert "of different kinds" in li.get(f"/compare?runs={trained.id},{scored.id}").text
    assert "set up the same" in li.get(f"/compare?runs={trained.id},{again.id}").text


def test_rows_about_pictures_name_them_and_are_picked_by_kind(
    li: TestClient, workbench: Workbench, owner: Person
) -> None:
    asked = {"data": {"train": "chart_demo_en", "test": CHARTS}}
    job = chart_job(workbench, owner, **asked)
    groups = li.get(f"/api/v1/jobs/{job.id}/results").json()["groups"]
    parts = {one["value"]: one["n"] for one in groups["by"]["chart_type"]["parts"]}
    assert groups["metric"] == "relaxed_accuracy" and sum(parts.values()) == 40
    found = li.get(f"/api/v1/jobs/{job.id}/results/rows", params={"part": "chart_type=pie", "limit": 200}).json()
    assert found["total"] == parts["pie"] == len(found["rows"])
    row = found["rows"][0]
    page = li.get(f"/evaluate/{job.id}?part=chart_type%3Dpie").text
    address = f"/api/v1/datasets/{CHARTS}/rows/{row['source']}/pictures/1"
    assert f'src="{address}?width=640"' in page
    assert hashlib.sha256(li.get(address).content).hexdigest() != row["images"][0]  # made anew
    assert li.get(address).headers["content-type"] == "image/png"


def test_another_picture_than_the_one_asked_about_is_not_shown(
    li: TestClient, workbench: Workbench, owner: Person
) -> None:
    job = chart_job(workbench, owner, data={"train": "x", "test": "somebody_elses"})
    page = li.get(f"/evaluate/{job.id}").text
    assert "no longer has this picture" in page and "/pictures/" not in page
    changed = chart_job(workbench, owner, data={"test": CHARTS}, image="0" * 64)
    assert "/pictures/" not in li.get(f"/evaluate/{changed.id}").text
