"""Blind review over the API: who may judge, what they learn meanwhile, and what is counted at the end."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient

from metier.workbench.accounts import Person
from metier.workbench.store.tables import Job, Judgement, Review
from metier.workbench.workbench import Workbench
from tests.support.bench import PASSWORD, member
from tests.support.ended import recipe_run
from tests.support.postgres import ON_BOTH

pytestmark = [pytest.mark.slow, ON_BOTH]


@contextmanager
def as_(workbench: Workbench, name: str) -> Iterator[TestClient]:
    """A client that is signed in beside the first."""
    from metier.web.app import build

    client = TestClient(build(workbench), base_url="http://localhost", follow_redirects=False)
    client.post("/api/v1/session", json={"name": name, "password": PASSWORD}).raise_for_status()
    yield client


@pytest.fixture
def li(owner: Person, client: TestClient) -> TestClient:
    client.post("/api/v1/session", json={"name": "li", "password": PASSWORD}).raise_for_status()
    return client


@pytest.fixture
def job(owner: Person, workbench: Workbench) -> Job:
    return recipe_run(workbench, owner, base_words="BASE says so.", tuned_words="TUNED says so.")


def create(client: TestClient, job: Job, rows: int = 6) -> dict[str, Any]:
    body = {"left": f"{job.id}.base", "right": f"{job.id}.tuned", "title": "Ward round", "rows": rows}
    answer = client.post("/api/v1/reviews", json=body, headers={"Idempotency-Key": "one"})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def judge_by(client: TestClient, address: str, token: str, rows: int, prefers: str, reason: str = "") -> None:
    """Judges every row for the side whose answer contains a word."""
    for row in range(1, rows + 1):
        task = client.get(f"{address}/rows/{row}", params={"token": token}).json()
        choice = "left" if prefers in task["left"] else "right"
        body = {"choice": choice, "reason": reason}
        client.put(f"{address}/rows/{row}", params={"token": token}, json=body).raise_for_status()


def test_two_reviewers_judge_blind_and_the_owner_reads_what_they_meant(
    li: TestClient, owner: Person, workbench: Workbench, job: Job
) -> None:
    review = create(li, job)
    assert li.post(
        "/api/v1/reviews",
        json={"left": f"{job.id}.base", "right": f"{job.id}.tuned", "title": "Ward round", "rows": 6},
        headers={"Idempotency-Key": "one"},
    ).json()["id"] == review["id"]  # fmt: skip
    address, token = f"/api/v1/reviews/{review['id']}", review["link"].partition("token=")[2]
    assert len(token) >= 22
    for name in ("wang", "zhao"):
        member(workbench, owner, name)
    with as_(workbench, "wang") as wang, as_(workbench, "zhao") as zhao:
        assert wang.get(address).status_code == 404
        assert wang.get(f"{address}?token=wrong").status_code == 404
        seen = wang.get(f"{address}?token={token}").json()
        assert job.id not in str(seen) and "base" not in seen
        judge_by(wang, address, token, 6, "TUNED", reason="=cmd()")
        judge_by(zhao, address, token, 5, "TUNED")
        row = zhao.get(f"{address}/rows/6").json()
        choice = "left" if "BASE" in row["left"] else "right"
        zhao.put(f"{address}/rows/6", json={"choice": choice}).raise_for_status()
        assert zhao.get(f"{address}/rows/6").json()["choice"] == choice
        assert wang.get(f"{address}/results").status_code == 403
        assert wang.patch(address, json={"closed": True}).status_code == 404
        found = li.get(f"{address}/results").json()
        assert (found["wins"], found["losses"], found["ties"], found["judged"]) == (5, 0, 1, 6)
        assert found["outcome"] == "tuned"
        assert round(found["agreement"]["raw"], 3) == round(5 / 6, 3)
        assert [one["row"] for one in found["disagreements"]] == [6]
        li.patch(address, json={"closed": True}).raise_for_status()
        assert wang.get(f"{address}/results").json()["wins"] == 5
        assert wang.put(f"{address}/rows/1", json={"choice": "tie"}).status_code == 409
    table = list(csv.DictReader(io.StringIO(li.get(f"{address}/judgements.csv").text.lstrip("\ufeff"))))
    assert len(table) == 12
    assert {line["reason"] for line in table} == {"", "'=cmd()"}


def test_sides_are_drawn_for_each_row_and_reviewer(
    li: TestClient, owner: Person, workbench: Workbench, job: Job
) -> None:
    review = create(li, job, rows=20)
    stored = workbench.reviews.owned(owner, review["id"])
    orders = set()
    for person in (owner, member(workbench, owner, "wang"), member(workbench, owner, "zhao")):
        tasks = [workbench.judging.task(person, stored, place) for place in range(20)]
        order = tuple("BASE" in task.left for task in tasks)
        assert 0 < sum(order) < 20
        assert order == tuple("BASE" in workbench.judging.task(person, stored, n).left for n in range(20))
        orders.add(order)
    assert len(orders) == 3


def test_an_owner_who_judges_sees_no_result_before_the_last_row(li: TestClient, job: Job) -> None:
    review = create(li, job, rows=2)
    address = f"/api/v1/reviews/{review['id']}"
    li.put(f"{address}/rows/1", json={"choice": "bad"}).raise_for_status()
    assert li.get(f"{address}/results").status_code == 403
    li.put(f"{address}/rows/2", json={"choice": "tie"}).raise_for_status()
    assert li.get(f"{address}/results").json()["ties"] == 2
    li.delete(f"{address}/rows/2").raise_for_status()
    assert li.get(address).json()["done"] == 1


def test_the_link_is_kept_as_a_digest_and_a_new_one_ends_the_old(
    li: TestClient, owner: Person, workbench: Workbench, job: Job
) -> None:
    review = create(li, job)
    address, token = f"/api/v1/reviews/{review['id']}", review["link"].partition("token=")[2]
    with workbench.database.read() as session:
        row = session.get(Review, review["id"])
        assert row is not None and token not in str(row.setup) + row.digest
    member(workbench, owner, "wang")
    with as_(workbench, "wang") as wang:
        assert wang.get(f"{address}?token={token}").status_code == 200
        fresh = li.post(f"{address}/link").json()["link"].partition("token=")[2]
        assert wang.get(f"{address}?token={token}").status_code == 404
        assert wang.get(f"{address}?token={fresh}").status_code == 200


def test_removing_a_run_removes_its_reviews_and_every_judgement(li: TestClient, workbench: Workbench, job: Job) -> None:
    review = create(li, job)
    li.put(f"/api/v1/reviews/{review['id']}/rows/1", json={"choice": "left", "reason": "zanzibar"}).raise_for_status()
    assert li.get("/api/v1/reviews").json()["reviews"][0]["done"] == 1
    li.delete(f"/api/v1/jobs/{job.id}").raise_for_status()
    assert li.get(f"/api/v1/reviews/{review['id']}").status_code == 404
    with workbench.database.read() as session:
        assert session.query(Judgement).count() == 0


def test_a_review_with_a_rubric_is_judged_in_each_dimension(
    li: TestClient, owner: Person, workbench: Workbench, job: Job
) -> None:
    body = {"left": f"{job.id}.base", "right": f"{job.id}.tuned", "rows": 4, "rubric": "legal"}
    review = li.post("/api/v1/reviews", json=body).json()
    address, token = f"/api/v1/reviews/{review['id']}", review["link"].partition("token=")[2]
    keys = [one["key"] for one in review["rubric"]["dimensions"]]
    assert len(keys) == 7

    def word(client: TestClient, row: int, differing: str = "") -> dict[str, Any]:
        """Prefers the tuned answer in everything, but the base's in one dimension."""
        task = client.get(f"{address}/rows/{row}", params={"token": token}).json()
        tuned, base = ("left", "right") if "TUNED" in task["left"] else ("right", "left")
        return {"choice": tuned, "dimensions": {key: base if key == differing else tuned for key in keys}}

    for name in ("wang", "zhao"):
        member(workbench, owner, name)
    with as_(workbench, "wang") as wang, as_(workbench, "zhao") as zhao:
        said = word(wang, 1, "evidence")
        incomplete = {**said, "dimensions": {"basis": "left"}}
        assert wang.put(f"{address}/rows/1", params={"token": token}, json=incomplete).status_code == 409
        assert wang.put(f"{address}/rows/1", json={**said, "dimensions": {**said["dimensions"], "x": "left"}},
                        params={"token": token}).status_code == 409  # fmt: skip
        for row in range(1, 5):
            wang.put(f"{address}/rows/{row}", params={"token": token}, json=word(wang, row, "evidence"))
            zhao.put(f"{address}/rows/{row}", params={"token": token}, json=word(zhao, row))
        assert wang.get(f"{address}/rows/1").json()["dimensions"] == said["dimensions"]
    found = {one["key"]: one for one in li.get(f"{address}/results").json()["dimensions"]}
    assert (found["basis"]["wins"], found["basis"]["agreement"]) == (4, 1.0)
    assert (found["evidence"]["wins"], found["evidence"]["ties"], found["evidence"]["agreement"]) == (0, 4, 0.0)
    table = list(csv.DictReader(io.StringIO(li.get(f"{address}/judgements.csv").text.lstrip("\ufeff"))))
    assert {line["evidence"] for line in table if line["reviewer"] == "wang"} == {"base"}


def test_a_rubric_is_a_name_and_never_a_path(li: TestClient, job: Job) -> None:
    for name in ("../../etc/passwd", "legla"):
        body = {"left": f"{job.id}.base", "right": f"{job.id}.tuned", "rubric": name}
        assert li.post("/api/v1/reviews", json=body).status_code == 404


def test_two_files_of_answers_are_judged_blind_and_go_with_their_review(
    li: TestClient, owner: Person, workbench: Workbench
) -> None:
    import json

    def file(word: str) -> str:
        rows = [{"id": n, "prompt": f"q{n}", "predict": f"{word} {n}\0", "label": ""} for n in range(5)]
        return "\n".join(json.dumps(row) for row in rows)

    body = {"left": file("BARE"), "right": file("CITED"), "left_name": "base.jsonl", "right_name": "docs.jsonl",
            "rows": 3, "rubric": "legal"}  # fmt: skip
    review = li.post("/api/v1/reviews/files", json=body).json()
    address, token = f"/api/v1/reviews/{review['id']}", review["link"].partition("token=")[2]
    member(workbench, owner, "wang")
    with as_(workbench, "wang") as wang:
        task = wang.get(f"{address}/rows/1", params={"token": token}).json()
        assert {task["left"].split()[0], task["right"].split()[0]} == {"BARE", "CITED"}
        assert "jsonl" not in wang.get(address, params={"token": token}).text
        keys = [one["key"] for one in review["rubric"]["dimensions"]]
        for row in range(1, 4):
            task = wang.get(f"{address}/rows/{row}", params={"token": token}).json()
            choice = "left" if "CITED" in task["left"] else "right"
            word = {"choice": choice, "dimensions": dict.fromkeys(keys, choice)}
            wang.put(f"{address}/rows/{row}", params={"token": token}, json=word).raise_for_status()
        assert wang.get(f"/reviews/{review['id']}").status_code == 200
    found = li.get(f"{address}/results").json()
    assert (found["wins"], found["tuned"]["title"], found["tuned"]["run"]) == (3, "docs.jsonl", None)
    assert "docs.jsonl" in li.get(f"/reviews/{review['id']}").text
    wrong = li.post("/api/v1/reviews/files", json={**body, "right": file("X").replace("q4", "q5")})
    assert wrong.status_code in (400, 422)
    assert "docs.jsonl" in wrong.text or "base.jsonl" in wrong.text
    li.delete(address).raise_for_status()
    with workbench.database.read() as session:
        from metier.workbench.store.tables import ReviewRow

        assert session.query(ReviewRow).count() == 0
