"""Runs side by side over the API: scores, curves, configurations, pairs, rows; and what becomes of them on removal."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench
from tests.support.bench import PASSWORD, member, wait_for
from tests.support.ended import answers, evaluated, predicted, recipe_run
from tests.support.finished import CHARTS, chart_job


@pytest.fixture
def li(owner: Person, client: TestClient) -> TestClient:
    client.post("/api/v1/session", json={"name": "li", "password": PASSWORD}).raise_for_status()
    return client


def pair(client: TestClient, left: str, right: str) -> dict[str, Any]:
    """The finished comparison of two variants."""

    def asked() -> dict[str, Any] | None:
        answer = client.get("/api/v1/compare/pair", params={"left": left, "right": right})
        return None if answer.status_code == 202 else dict(answer.raise_for_status().json())

    return dict(wait_for(asked))


def test_scores_curves_and_differences_of_two_recipe_runs(li: TestClient, owner: Person, workbench: Workbench) -> None:
    one = recipe_run(workbench, owner, "One")
    two = recipe_run(workbench, owner, "Two", right=(6, 12), changes={"train.learning_rate": 2e-4})
    found = li.get("/api/v1/compare", params={"runs": [one.id, two.id]}).json()
    assert [variant["side"] for variant in found["variants"]] == ["base", "tuned", "base", "tuned"]
    accuracy = [variant["scores"]["choice_accuracy"] for variant in found["variants"]]
    assert [round(score["score"], 2) for score in accuracy] == [0.25, 0.83, 0.25, 0.5]
    assert all(score["low"] < score["score"] < score["high"] for score in accuracy)
    assert found["differences"] == [{"key": "train.learning_rate", "values": [0.001, 0.0002]}]
    curves = li.get("/api/v1/compare/curves", params={"runs": [one.id, two.id]}).json()
    assert [len(run["steps"]) for run in curves] == [60, 60]
    assert curves[0]["tokens"][-1] == 24_000


def test_a_recipe_run_compares_its_base_and_tuned_row_by_row(
    li: TestClient, owner: Person, workbench: Workbench
) -> None:
    job = recipe_run(workbench, owner)
    left, right = f"{job.id}.base", f"{job.id}.tuned"
    found = pair(li, left, right)
    accuracy = found["compared"]["metrics"]["choice_accuracy"]
    assert (found["rows"], found["problem"]) == (24, None)
    assert round(accuracy["difference"], 3) == round(14 / 24, 3)
    assert accuracy["low"] > 0
    assert (accuracy["wins"], accuracy["ties"], accuracy["losses"]) == (14, 10, 0)
    rows = li.get("/api/v1/compare/rows", params={"left": left, "right": right, "show": "right", "limit": 5}).json()
    assert rows["numbers"] == {"all": 24, "different": 24, "left": 0, "right": 14, "tie": 10}
    assert [row["row"] for row in rows["rows"]] == [7, 8, 9, 10, 11]
    assert rows["next"] == 5
    assert "Answer: C" in rows["rows"][0]["left"] and "Answer: A" in rows["rows"][0]["right"]


def test_other_rows_are_said_to_be_other_rows_without_a_path(
    li: TestClient, owner: Person, workbench: Workbench
) -> None:
    one = predicted(workbench, owner, answers(10, 5))
    other = predicted(workbench, owner, answers(12, 5))
    found = pair(li, one.id, other.id)
    assert found["compared"] is None
    assert "is not in A" in found["problem"]
    assert str(workbench.folder) not in found["problem"]


def test_an_evaluation_leads_to_the_answers_that_it_scored(li: TestClient, owner: Person, workbench: Workbench) -> None:
    first, second = (predicted(workbench, owner, answers(8, right)) for right in (2, 6))
    jobs = [evaluated(workbench, owner, one) for one in (first, second)]
    assert pair(li, jobs[0].id, jobs[1].id)["rows"] == 8


def test_only_the_owner_compares(li: TestClient, owner: Person, workbench: Workbench) -> None:
    other = member(workbench, owner, "wang")
    mine, theirs = recipe_run(workbench, owner), recipe_run(workbench, other)
    for address, params in (
        ("/api/v1/compare", {"runs": [mine.id, theirs.id]}),
        ("/api/v1/compare/curves", {"runs": [theirs.id]}),
        ("/api/v1/compare/pair", {"left": f"{mine.id}.base", "right": f"{theirs.id}.base"}),
        ("/api/v1/compare/rows", {"left": f"{theirs.id}.base", "right": f"{theirs.id}.tuned"}),
    ):
        assert li.get(address, params=params).status_code == 404
    assert li.get("/api/v1/compare", params={"runs": [f"{n:016x}" for n in range(7)]}).status_code == 422


def test_a_removed_run_takes_its_pairs_along(li: TestClient, owner: Person, workbench: Workbench) -> None:
    job = predicted(workbench, owner, answers(6, 2, words="zanzibar"))
    other = predicted(workbench, owner, answers(6, 4))
    pair(li, other.id, job.id)
    assert any(b"zanzibar" in path.read_bytes() for path in workbench.folder.rglob("rows.jsonl"))
    li.delete(f"/api/v1/jobs/{job.id}").raise_for_status()
    files = [path for path in workbench.folder.rglob("*") if path.is_file()]
    assert [path for path in files if b"zanzibar" in path.read_bytes()] == []


def test_what_is_ticked_outlasts_a_search_and_a_short_address_is_left(
    li: TestClient, owner: Person, workbench: Workbench
) -> None:
    one, two = (predicted(workbench, owner, answers(4, 2), title) for title in ("One", "Two"))
    form = {"runs": [one.id, two.id], "search": "Two"}
    found = li.get("/compare", params={**form, "choose": 1}, headers={"accept": "text/html"})
    assert found.headers["location"] == f"/compare?runs={one.id},{two.id}&choose=1&search=Two"
    page = li.get(found.headers["location"], headers={"accept": "text/html"}).text
    assert page.count("checked") == 2
    sent = li.get("/compare", params=form, headers={"accept": "text/html"})
    assert sent.headers["location"] == f"/compare?runs={one.id},{two.id}"


def test_rows_about_pictures_show_them(li: TestClient, owner: Person, workbench: Workbench) -> None:
    job = chart_job(workbench, owner, data={"train": "chart_demo_en", "test": CHARTS})
    left, right = f"{job.id}.base", f"{job.id}.tuned"
    assert pair(li, left, right)["rows"] == 40
    page = li.get("/compare/pair", params={"left": left, "right": right, "runs": job.id}).text
    assert f'src="/api/v1/datasets/{CHARTS}/rows/' in page and "asked-pictures" in page
