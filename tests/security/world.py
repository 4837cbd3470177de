"""Two tenants: A has one of everything, with a canary in each; B is a member who knows A's ids."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from metier.core.files import append_jsonl, write_json
from metier.specialists.spec import Specialist, Texts
from metier.workbench import arrivals, layout
from metier.workbench.accounts import Person
from metier.workbench.chatpictures import KeptPicture
from metier.workbench.store.tables import (
    Base,
    Chat,
    ChatTurn,
    Dataset,
    Job,
    Judgement,
    Review,
    SavedRecipe,
    Share,
    new_id,
    now,
)
from metier.workbench.workbench import Workbench
from tests.security.routes import Route
from tests.support.bench import PASSWORD, member
from tests.support.reports import give_report

CANARY = "canary-of-a-7d1f"
ADDRESS = "https://hooks.example.com/canary-of-a-7d1f"


@dataclass
class World:
    """things: A's things by the kind that routes name them by."""

    workbench: Workbench
    a: Person
    b: Person
    site: str = ""
    things: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def client(self, name: str) -> Iterator[httpx.Client]:
        """Somebody's browser."""
        with httpx.Client(base_url=self.site, timeout=20) as client:
            assert client.post("/api/v1/session", json={"name": name, "password": PASSWORD}).status_code == 200
            yield client

    def address(self, route: Route) -> str:
        """A route's address with A's ids in it."""
        path = route.path
        for name in route.names:
            path = path.replace(f"{{{name}:path}}", f"{{{name}}}").replace(f"{{{name}}}", self.value(route, name))
        return path

    def value(self, route: Route, name: str) -> str:
        """What stands for a parameter of a route's address. The most telling entry counts: `datasets name` before
        `name`."""
        words = [word for word in route.path.split("/") if word and "{" not in word]
        for word in reversed(words):
            if f"{word} {name}" in self.things:
                return self.things[f"{word} {name}"]
        if name in self.things:
            return self.things[name]
        raise AssertionError(
            f"{route}: this test does not know what {{{name}}} stands for. Add one of A's to `World.things` in"
            f" tests/security/world.py, as '{name}' or, where other routes mean something else, '{words[-1]} {name}'."
        )

    def state(self) -> dict[str, Any]:
        """All rows and files, but what a mere visit changes."""
        rows: dict[str, Any] = {}
        with self.workbench.database.read() as session:
            for table in Base.metadata.sorted_tables:
                if table.name == "answered":
                    continue
                if table.name in ("sign_ins", "api_keys"):  # when they were seen or used changes
                    rows[table.name] = sorted(row[0] for row in session.execute(table.select()))
                    continue
                rows[table.name] = sorted(str(tuple(row)) for row in session.execute(table.select()))
        files = {
            str(path.relative_to(self.workbench.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.workbench.folder.rglob("*"))
            if path.is_file() and "metier.db" not in path.name
        }
        return {"rows": rows, "files": files}


async def _bytes(content: bytes) -> AsyncIterator[bytes]:
    yield content


def give_set(workbench: Workbench, owner: Person, name: str, *, canary: str = CANARY) -> Dataset:
    """A set of six rows."""
    rows = [{"instruction": f"{canary} row {number}?", "input": "", "output": "yes"} for number in range(6)]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    upload = asyncio.run(workbench.datasets.receive(owner, f"{canary}.jsonl", _bytes(content)))
    return workbench.datasets.register(owner, upload.id, name)


def give_upload(workbench: Workbench, owner: Person) -> str:
    """A file that came in and waits to be registered."""
    content = json.dumps({"instruction": CANARY, "input": "", "output": "b"}).encode()
    return asyncio.run(workbench.datasets.receive(owner, f"{CANARY}.jsonl", _bytes(content))).id


def give_run(workbench: Workbench, owner: Person, kind: str = "recipe", *, canary: str = CANARY) -> Job:
    """A run that is done, with what its steps leave."""
    asked = {"name": canary, "train": {"model_name_or_path": "smollm2-135m"}, "data": {"test": "medical_demo_en"}}
    job = Job(id=new_id(), owner_id=owner.id, kind=kind, title=canary, spec={"asked": asked, "work": asked})
    job.state, job.created, job.started, job.ended, job.summary = (
        "done",
        now(),
        now(),
        now(),
        {"verdict": {"outcome": "better", "sentences": [{"en": canary, "zh": canary}]}, "note": canary},
    )
    folder = layout.job_folder(workbench.settings.jobs, job.id)
    steps = folder / layout.RUN / "steps"
    row = {"id": "1", "prompt": canary, "predict": canary, "label": canary, "messages": []}
    for step in ("prepare", "train", "predict", "predict-base", "predict-tuned", "evaluate", "compare", "report"):
        write_json(steps / step / "done.json", {"fingerprint": "x", "summary": {}})
        append_jsonl(steps / step / "predictions.jsonl", [row])
        (steps / step / "report.html").write_text(f"<p>{canary}</p>", encoding="utf-8")
    write_json(steps / "train" / "adapter" / "adapter_config.json", {"note": canary})
    append_jsonl(folder / layout.EVENTS, [{"event": "step", "name": "train", "of": "", "note": canary}])
    (folder / layout.LOG).write_text(f"{canary}\n", encoding="utf-8")
    write_json(folder / layout.RESULT, {"token": "t", "outcome": "done", "summary": {"note": canary}})
    with workbench.database.write() as session:
        session.add(job)
    return job


def give_knowledge(workbench: Workbench, owner: Person, name: str, *, canary: str = CANARY) -> tuple[str, str, str]:
    """A knowledge base with a document, and a file that came for it. Returns the ids of the three."""
    base = workbench.knowledge.create(owner, name, title=canary)
    (outcome,) = base.add([(f"{canary}.txt", f"{canary}\n\n1. The rule of {canary}.".encode())])
    assert outcome.entry is not None
    folder = arrivals.new_folder(base.folder)
    (folder / "file.part").write_bytes(canary.encode())
    arrived = arrivals.accept(folder, f"{canary}.txt", len(canary))
    arrivals.end(arrived, {"name": arrived.file_name, "state": "same"})  # else it would be imported meanwhile
    return base.id, outcome.entry.id, arrived.id


def give_picture(workbench: Workbench, owner: Person) -> KeptPicture:
    """A picture that came for a question, with words in its file that are no part of what is seen."""
    from PIL import Image, PngImagePlugin

    said, file = PngImagePlugin.PngInfo(), io.BytesIO()
    said.add_text("Comment", CANARY)
    Image.new("RGB", (24, 16), "navy").save(file, "PNG", pnginfo=said)
    return asyncio.run(workbench.pictures.receive(owner, f"{CANARY}.png", _bytes(file.getvalue())))


def two_tenants(workbench: Workbench, *, admin: Person) -> World:
    """A world: A and B are members."""
    a, b = member(workbench, admin, "a"), member(workbench, admin, "b")
    world = World(workbench, a, b)
    run = give_run(workbench, a)
    queued = Job(id=new_id(), owner_id=a.id, kind="train", title=CANARY, spec=run.spec, place=1.0, state="queued")
    queued.wanted_devices = 99  # never begun
    chat = Chat(id=new_id(), owner_id=a.id, title=CANARY, setup={"models": ["smollm2-135m"], "system_prompt": CANARY})
    picture = give_picture(workbench, a)
    turn = ChatTurn(id=new_id(), owner_id=a.id, chat_id=chat.id, place=0, role="user", text=CANARY,
                    details={"pictures": [picture.to_details()]})  # fmt: skip
    talk = Chat(id=new_id(), owner_id=a.id, kind="assistant", title=CANARY, setup={"specialist": "medical"})
    answer = {"text": f"{CANARY} [1]", "citations": [], "evidence": [{"number": 1, "kind": "user", "text": CANARY,
              "title": CANARY, "base": "", "passage": None, "details": {}}]}  # fmt: skip
    said = ChatTurn(id=new_id(), owner_id=a.id, chat_id=talk.id, place=1, role="assistant", side="left", text=CANARY,
                    details={"answer": answer, "specialist": "medical", "version": "v1"})  # fmt: skip
    side = {"job": run.id, "key": "predict", "title": CANARY, "side": ""}
    setup = {"left": side, "right": side, "seed": 1, "salt": "s", "rows": [0], "closed": None}
    review = Review(id=new_id(), owner_id=a.id, title=CANARY, setup=setup, digest=_hash("review"))
    share = Share(id=new_id(), owner_id=a.id, job_id=run.id, digest=_hash("share"), expires=now())
    recipe = SavedRecipe(id=new_id(), owner_id=a.id, name=CANARY, kind="train", spec={"note": CANARY})
    judgement = Judgement(id=new_id(), review_id=review.id, reviewer_id=a.id, row=0, choice="both", reason=CANARY)
    (workbench.settings.jobs / queued.id).mkdir()
    for group in ((queued, chat, talk, review, share, recipe), (turn, said, judgement)):
        with workbench.database.write() as session:
            session.add_all(group)
    data, upload = give_set(workbench, a, "set_of_a"), give_upload(workbench, a)
    base, document, arrived = give_knowledge(workbench, a, "base_of_a")
    report = give_report(workbench, a, f"{CANARY}.csv", f"{CANARY},2022,2023\nRevenue,10,12\n".encode())
    brought = asyncio.run(workbench.findings.brought.receive(a, f"{CANARY}.csv", _bytes(CANARY.encode())))
    key, key_text = workbench.accounts.create_key(a, CANARY)
    token = workbench.accounts.sign_in("a", PASSWORD)
    workbench.secrets.put(a, "HF_TOKEN", CANARY)
    workbench.accounts.invite(admin)
    workbench.specialists.create(a, Specialist(name="specialist-of-a", description=Texts(en=CANARY, zh=CANARY)))
    world.things = {
        "specialists name": "specialist-of-a",
        "job_id": run.id,
        "run_id": run.id,
        "queue job_id": queued.id,
        "upload_id": upload,
        "datasets name": data.name,
        "dataset_id": data.id,
        "files name": "log.txt",
        "key_id": key.id,
        "key": key_text,
        "sign_in_id": hashlib.sha256(token.encode()).hexdigest(),
        "secrets name": "HF_TOKEN",
        "user_id": a.id,
        "invitation_id": workbench.accounts.invitations(admin)[0].id,
        "chat_id": chat.id,
        "assistant chat_id": talk.id,
        "assistant turn_id": said.id,
        "evidence number": "1",
        "steps number": "0",
        "turn_id": turn.id,
        "picture_id": picture.id,
        "findings job_id": report.id,
        "report format": "html",
        "findings upload_id": brought.id,
        "review_id": review.id,
        "judgement_id": judgement.id,
        "share_id": share.id,
        "recipe_id": recipe.id,
        "queued_id": queued.id,
        "section": "account",
        "kind": "train",
        "format": "csv",
        "number": "0",
        "place": "1",
        "row": "0",
        "step": "predict",
        "models name": "smollm2-135m",
        "base": base,
        "document": document,
        "imports upload_id": arrived,
        "page": "1",
    }
    return world


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def folder_bytes(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
