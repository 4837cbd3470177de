"""A workbench in use, for tests that walk through all pages: something of everything that a page can show."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from metier.core.files import append_jsonl
from metier.web import pages
from metier.web.pages import settings
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.chatsetup import ChatSetup
from metier.workbench.store.tables import Chat, ChatTurn, Job
from metier.workbench.work import check_work
from metier.workbench.workbench import Workbench
from tests.support import finished
from tests.support.bench import member
from tests.support.ended import answers, ended, evaluated, predicted, recipe_run

_PARAMETER = re.compile(r"{(\w+)(?::path)?}")


@dataclass(frozen=True)
class Example:
    """given: values for the parameters of routes, by route or for all; asked: queries that show more of a page."""

    given: dict[str, list[str]]
    asked: dict[str, list[str]]

    def addresses(self, route: str) -> list[str]:
        """The addresses to visit a route at. Raises KeyError for a parameter without an example: add one here."""
        found = [route]
        for match in _PARAMETER.finditer(route):
            values = self.given.get(f"{route} {match[1]}") or self.given[match[1]]
            found = [one.replace(match[0], value) for one in found for value in values]
        return found + [f"{found[0]}?{query}" for query in self.asked.get(route, [])]


def page_routes() -> Iterator[str]:
    """The path of every route of the pages that answers GET."""
    for router in pages.routers():
        for route in router.routes:
            if "GET" in (getattr(route, "methods", None) or ()):
                yield str(route.path)  # type: ignore[attr-defined]


def fill(workbench: Workbench, owner: Person) -> Example:
    """Fills the workbench for `owner` and tells where things are."""
    report = finished.recipe_job(workbench, owner, title="Medical, with a report and a rather long title that is cut")
    run = recipe_run(workbench, owner, "医疗演示，第二次")
    prediction = predicted(workbench, owner, answers(12, 5), "Answers")
    evaluation = evaluated(workbench, owner, prediction)
    states = [_training(workbench, owner, state) for state in ("failed", "cancelled", "queued", "done")]
    dataset = _dataset(workbench, owner)
    chat, turn = _chat(workbench, owner)
    review, token = workbench.reviews.create(owner, f"{run.id}.base", f"{run.id}.tuned", title="Ward round", rows=4)
    closed, _ = workbench.reviews.create(owner, f"{report.id}.base", f"{report.id}.tuned", title="Done", rows=2)
    for reviewer in (owner, member(workbench, owner, "wang")):
        for place in range(2):
            workbench.reviews.judge(reviewer, closed, place, "left", "Names the cause.")
    workbench.reviews.close(owner, closed.id)
    _, share = workbench.shares.create(owner, report.id, days=7)
    given = {
        "job_id": [report.id],
        "/runs/{job_id} job_id": [report.id, run.id, *(job.id for job in states)],
        "/evaluate/{job_id} job_id": [report.id, evaluation.id],
        "name": [dataset, "medical_demo_en"],
        "/models/{name:path} name": ["smollm2-135m"],
        "chat_id": [chat],
        "turn_id": [turn],
        "token": [share],
        "review_id": [review.id, closed.id],
        "section": [*settings.OWN, *settings.ADMIN],
    }
    asked = {
        "/compare": [f"runs={report.id},{run.id}", f"runs={run.id}"],
        "/datasets/{name}": ["tab=check", "row=1&model=smollm2-135m"],
        "/reviews/{review_id}": [f"token={token}"],
        "/fine-tune": [f"dataset={dataset}&model=smollm2-135m"],
        "/evaluate": [f"model=smollm2-135m&dataset={dataset}"],
        "/runs": ["state=failed&search=nothing"],
        "/models": ["search=nothing"],
    }
    return Example(given, asked)


def _training(workbench: Workbench, owner: Person, state: str) -> Job:
    work = check_work("train", {"model_name_or_path": "smollm2-135m", "dataset": "medical_demo_en"})
    job = ended(workbench, owner, "train", work, f"Training <b>{state}</b>", state)
    points = [{"event": "progress", "of": "train", "step": n, "total": 40, "loss": 2 / n} for n in range(1, 31)]
    append_jsonl(workbench.jobs.folder_of(job) / layout.EVENTS, [{"event": "step", "name": "train"}, *points])
    (workbench.jobs.folder_of(job) / layout.LOG).write_text("loading\n<script>alert(1)</script>\n", encoding="utf-8")
    with workbench.database.write() as session:
        row = session.get(Job, job.id)
        assert row is not None
        if state == "failed":
            row.reason = {"key": "workbench.reason_memory", "fields": {}}
        if state == "queued":
            row.started = row.ended = None
    return job


def _dataset(workbench: Workbench, owner: Person) -> str:
    lines = [{"instruction": f"病例 {n}: <i>tired</i>?", "input": "", "output": f"It is {n}."} for n in range(1, 31)]
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()

    async def parts() -> AsyncIterator[bytes]:
        yield content

    upload = asyncio.run(workbench.datasets.receive(owner, "cases.jsonl", parts()))
    return workbench.datasets.register(owner, upload.id, "cases").name


def _chat(workbench: Workbench, owner: Person) -> tuple[str, str]:
    chat = Chat(owner_id=owner.id, title="Tired and pale", setup=ChatSetup().model_dump(mode="json"))
    turns: list[dict[str, Any]] = [
        {"role": "user", "text": "What makes one tired and pale?"},
        {"role": "assistant", "side": "left", "text": "**Anaemia**:\n\n- too few red cells", "thinking": "Hm."},
    ]
    with workbench.database.write() as session:
        session.add(chat)
        session.flush()
        rows = [ChatTurn(owner_id=owner.id, chat_id=chat.id, place=at, **turn) for at, turn in enumerate(turns)]
        session.add_all(rows)
    return chat.id, rows[-1].id
