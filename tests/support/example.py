"""A workbench in use, for tests that walk through all pages: something of everything that a page can show."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from metier.core.files import append_jsonl
from metier.specialists.evidence import Answer, Evidence
from metier.web import pages
from metier.web.pages import settings
from metier.workbench import arrivals, layout
from metier.workbench.accounts import Person
from metier.workbench.chatsetup import ChatSetup
from metier.workbench.store.tables import Chat, ChatTurn, Job
from metier.workbench.work import check_work
from metier.workbench.workbench import Workbench
from tests.support import finished
from tests.support.bench import member
from tests.support.ended import answers, ended, evaluated, predicted, recipe_run
from tests.support.reports import csv_report, give_report, pdf_report

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
            workbench.judging.judge(reviewer, closed, place, "left", "Names the cause.")
    workbench.reviews.close(owner, closed.id)
    _, share = workbench.shares.create(owner, report.id, days=7)
    base, documents, passage = _knowledge(workbench, owner)
    talk, said = _assistant(workbench, owner)
    reports = _reports(workbench, owner)
    spoken = {f"/assistant/{{chat_id}}{more} chat_id": [talk] for more in ("", "/turns", "/turns/{turn_id}")}
    given = {
        **spoken,
        "/assistant/{chat_id}/turns/{turn_id} turn_id": [said],
        "/assistant/{chat_id}/turns/{turn_id}/evidence/{number} chat_id": [talk],
        "/assistant/{chat_id}/turns/{turn_id}/evidence/{number} turn_id": [said],
        "/findings/{job_id} job_id": reports,
        "number": ["1"],
        "/specialists/{name} name": ["medical", "legal"],
        "/specialists/{name}/prove name": ["medical"],
        "base": [base],
        "document": documents,
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
        "/knowledge/{base}": ["tab=search&q=who+is+paid+double", "tab=search", "tab=about", "tab=search&q=zzz"],
        "/knowledge/{base}/{document}": [f"passage={passage}", "passage=0123456789abcdef"],
    }
    return Example(given, asked)


def _reports(workbench: Workbench, owner: Person) -> list[str]:
    """Reports that were read: a PDF, and a table; and one that could not be."""
    asked = {"question": "How did revenue change?", "rules": "The auditor is named."}
    failed = give_report(workbench, owner, "Broken.csv", csv_report())
    with workbench.database.write() as session:
        row = session.get(Job, failed.id)
        assert row is not None
        row.state, row.reason = "failed", {"key": "knowledge.no_text", "fields": {"file": "Broken.csv"}}
    given = [("Annual report 2023, with a rather long name that is cut.pdf", pdf_report()), ("报表.csv", csv_report())]
    return [give_report(workbench, owner, name, content, **asked).id for name, content in given] + [failed.id]


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


def _knowledge(workbench: Workbench, owner: Person) -> tuple[str, list[str], str]:
    """A base with a text and a picture of a page, one file that failed; its ids, and a passage of the first."""
    rules = "House <b>rules</b>\n\n1. The gate opens at seven.\n\n2. Whoever works on a Sunday is paid double.\n"
    base = workbench.knowledge.create(owner, "rules", title="What holds in the house")
    brought = [("house rules with a rather long name that is cut somewhere.txt", rules.encode()), ("page.pdf", _pdf())]
    entries = [outcome.entry for outcome in base.add(brought) if outcome.entry is not None]
    folder = arrivals.new_folder(base.folder)
    (folder / "file.part").write_bytes(b"x")
    failed = arrivals.accept(folder, "broken.pdf", 1)
    outcome = {"name": "broken.pdf", "state": "failed", "key": "workbench.import_given_up"}
    arrivals.end(failed, {**outcome, "fields": {"file": "broken.pdf", "attempts": 3}})
    return base.name, [entry.id for entry in entries], base.passages(entries[0].id)[-1].id


def _pdf() -> bytes:
    """A page with a sentence."""
    from reportlab.pdfgen.canvas import Canvas

    content = io.BytesIO()
    canvas = Canvas(content, invariant=True)
    canvas.drawString(72, 700, "The cellar is locked from nine in the evening.")
    canvas.save()
    return content.getvalue()


def _assistant(workbench: Workbench, owner: Person) -> tuple[str, str]:
    """A conversation with a specialist: a question, and an answer that quotes."""
    chat = Chat(owner_id=owner.id, kind="assistant", title="The gate", setup={"specialist": "medical"})
    evidence = Evidence(1, "user", "It is open since seven.", title="Said by the user")
    answer = Answer("It is open [1].", "quoted", "medical", "v1", evidence=(evidence,))
    with workbench.database.write() as session:
        session.add(chat)
        session.flush()
        asked = ChatTurn(owner_id=owner.id, chat_id=chat.id, place=0, role="user", text="Is the gate open?")
        said = ChatTurn(owner_id=owner.id, chat_id=chat.id, place=1, role="assistant", side="left", text=answer.text)
        said.details = {"answer": answer.to_json()}
        session.add_all([asked, said])
    return chat.id, said.id


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
