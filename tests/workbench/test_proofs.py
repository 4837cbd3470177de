"""A proof as work of the queue: frozen for its owner, done by a child, shown on its run's page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from metier.core.errors import ConfigError, DataError
from metier.core.files import read_json, read_jsonl, write_json
from metier.engines.chatmodel import ChatModel
from metier.specialists.spec import Specialist
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.errors import NotFoundError
from metier.workbench.proofs import OwnerSources, questions_of
from metier.workbench.store.tables import Job, now
from metier.workbench.work import run_work
from metier.workbench.workbench import Workbench
from tests.evaluate import scripted
from tests.support.bench import PASSWORD, client_of, member

RULES = "# 示例劳动规则\n\n第四条 休息日安排加班又不能补休的，按工资的二倍支付。\n\n第九条 申请仲裁的时效期间为一年。\n"
WORK: dict[str, Any] = {"specialist": "law", "questions": "legal", "max_samples": 2, "max_new_tokens": 16}


@pytest.fixture
def base(workbench: Workbench, owner: Person) -> None:
    """A specialist of the owner's, and its documents."""
    workbench.specialists.create(owner, Specialist(name="law", knowledge=("rules",)))
    workbench.knowledge.create(owner, "rules").add([("rules.md", RULES.encode())])


def submit(workbench: Workbench, owner: Person, **changes: Any) -> Job:
    return workbench.jobs.submit(owner, "prove", {**WORK, **changes})


def do(workbench: Workbench, job: Job) -> dict[str, Any]:
    """What the child does with a job, here."""
    folder = workbench.jobs.folder_of(job)
    summary = run_work("prove", job.spec["work"], folder / layout.RUN, ())
    with workbench.database.write() as session:
        row = session.get_one(Job, job.id)
        row.state, row.summary, row.started, row.ended = "done", summary, now(), now()
    return summary


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """Which models were opened; their words are scripted."""
    opened: list[tuple[str, str | None]] = []

    def model(sources: OwnerSources, specialist: Specialist) -> ChatModel:
        opened.append((specialist.model_name_or_path, specialist.adapter_name_or_path))
        return scripted.Scripted(lambda first, second, request: f"按规定支付 {len(opened)} {len(request.turns)}。")

    monkeypatch.setattr(OwnerSources, "model", model)
    return opened


def test_a_proof_runs_to_its_verdict_and_is_seen_on_its_page(
    workbench: Workbench, owner: Person, base: None, said: list[Any]
) -> None:
    job = submit(workbench, owner)
    summary = do(workbench, job)
    assert (summary["questions"], summary["variants"]) == (2, "base, base_knowledge")
    assert summary["verdict"]["outcome"] == "undecided"
    step = workbench.jobs.folder_of(job) / layout.RUN / "steps" / "prove"
    found = read_json(step / "proof.json")
    assert found["variants"][1]["knowledge"] == ["rules"]
    assert str(workbench.folder) not in (step / "proof.html").read_text(encoding="utf-8")
    with client_of(workbench) as client:
        client.post("/api/v1/session", json={"name": "li", "password": PASSWORD})
        page = client.get(f"/runs/{job.id}").text
        assert "Nobody judged" in page
        assert "base model + knowledge" in page
        assert f"/compare?runs={job.id}&amp;left={job.id}.base&amp;right={job.id}.base_knowledge" in page
        assert client.get(f"/reports/{job.id}/page").text.count("base model") > 1
        review = {"left": f"{job.id}.base", "right": f"{job.id}.base_knowledge", "title": "Blind", "rubric": "legal"}
        assert client.post("/api/v1/reviews", json=review).status_code == 201


def test_a_proof_that_was_killed_asks_nothing_twice(
    workbench: Workbench, owner: Person, base: None, said: list[Any]
) -> None:
    job = submit(workbench, owner)
    do(workbench, job)
    step = workbench.jobs.folder_of(job) / layout.RUN / "steps" / "prove"
    kept = read_jsonl(step / "answers-base.jsonl")
    (step / "done.json").unlink()
    lines = (step / "answers-base_knowledge.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (step / "answers-base_knowledge.jsonl").write_text(lines[0], encoding="utf-8")
    said.clear()
    do(workbench, job)
    assert read_jsonl(step / "answers-base.jsonl") == kept
    assert len(said) == 1


def test_nobody_proves_what_is_anothers(workbench: Workbench, owner: Person, base: None) -> None:
    other = member(workbench, owner, "wang")
    with pytest.raises(NotFoundError):
        submit(workbench, other)
    workbench.specialists.create(other, Specialist(name="law", knowledge=("rules",)))
    with pytest.raises(ConfigError):  # the base is the other's: without it there is one variant
        submit(workbench, other)
    assert workbench.jobs.page(other).total == 0


@pytest.mark.parametrize(
    "change",
    [
        {"questions": "/etc/passwd"}, {"judge": "/etc", "rubric": "legal"}, {"judge": "smollm2-135m"},
        {"rubric": "/etc/one.yaml", "judge": "smollm2-135m"}, {"variants": ["tuned", "base"]}, {"variants": ["base"]},
        {"specialist": "/etc/one.yaml"}, {"version": "v9"}, {"judge_address": "http://127.0.0.1"},
        {"judge": "run:0123456789abcdef", "rubric": "legal"},
    ],
)  # fmt: skip
def test_attack_44_a_proof_takes_names_and_nothing_else(
    workbench: Workbench, owner: Person, base: None, change: dict[str, Any]
) -> None:
    from metier.core.errors import UserError

    with pytest.raises(UserError):
        submit(workbench, owner, **change)
    assert workbench.jobs.page(owner).total == 0


def test_a_set_of_conversations_is_asked_as_questions(tmp_path: Path) -> None:
    rows = [{"instruction": f"q{n}", "output": f"a{n}", "system": "s"} for n in range(3)]
    (tmp_path / "0a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    write_json(tmp_path / "dataset_info.json", {"mine": {"file_name": "0a.jsonl"}})
    work = {"asked": {"questions": "mine", "max_samples": 2}, "dataset_id": "0a"}
    found = read_jsonl(questions_of(work, tmp_path))
    assert [(one["messages"], one["reference"]) for one in found] == [
        ([{"role": "user", "content": f"q{n}"}], f"a{n}") for n in range(2)
    ]
    with pytest.raises(DataError):
        questions_of({**work, "asked": {"questions": "other", "max_samples": 2}, "dataset_id": "0b"}, tmp_path)


def test_the_form_says_what_it_takes_and_makes_one_job(client: TestClient) -> None:
    client.post("/api/v1/accounts", json={"name": "li", "password": PASSWORD})
    assert client.get("/specialists/legal/prove").status_code == 200
    client.post("/api/v1/knowledge", json={"name": "labour-law-samples"})
    page = client.get("/specialists/legal/prove").text
    form = {"key": re.findall(r'name="key" value="([^"]+)"', page)[0], "questions": "legal", "max_samples": "3",
            "judge": "smollm2-135m", "rubric": "legal", "judge_votes": "1"}  # fmt: skip
    plan = re.sub(r"<[^>]+>|\s+", " ", client.post("/specialists/legal/prove/plan", data=form).text)
    assert re.search(r"Answers +6 ", plan)
    assert "140 of the votes test the judge" in plan
    there = [client.post("/specialists/legal/prove", data=form).headers["location"] for _ in range(2)]
    assert there[0] == there[1]
    wrong = client.post("/specialists/legal/prove", data={**form, "key": "other", "questions": "nothing"})
    assert wrong.status_code in (404, 422)
    assert "nothing" in wrong.text
    client.post(f"/api/v1/jobs/{there[0].rpartition('/')[2]}/cancel")
