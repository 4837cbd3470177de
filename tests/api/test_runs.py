"""Runs over the API and as pages: what they told, whose they are, and how many may be followed at once."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest
from fastapi.testclient import TestClient

from metier.api import stream
from metier.core.files import append_jsonl
from metier.web.pages.home import _last_visit
from metier.workbench import following, layout
from metier.workbench.accounts import Person
from metier.workbench.store.tables import Job, Lease, now
from metier.workbench.workbench import Workbench
from tests.support import bench

HTML = {"accept": "text/html"}


def made(workbench: Workbench, owner_id: str, state: str = "done", **values: Any) -> Job:
    """A job as if it had run."""
    work = {"model_name_or_path": "smollm2-135m", "dataset": "medical_demo_en", "learning_rate": 0.001}
    job = Job(owner_id=owner_id, kind="train", title="A run", spec={"asked": work, "work": work}, state=state)
    for name, value in values.items():
        setattr(job, name, value)
    with workbench.database.write() as session:
        session.add(job)
    workbench.jobs.folder_of(job).mkdir(parents=True)
    return job


def told(workbench: Workbench, job: Job, *events: dict[str, Any]) -> Path:
    """Puts events into a job's record."""
    path = workbench.jobs.folder_of(job) / layout.EVENTS
    append_jsonl(path, [{"of": "train", **event} for event in events])
    return path


def points(first: int, last: int) -> list[dict[str, Any]]:
    return [{"event": "progress", "step": step, "total": 100, "loss": 1 / step} for step in range(first, last + 1)]


def messages(text: str) -> list[tuple[str, str, Any]]:
    """`(id, name, data)` of each message of a stream."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.splitlines())
        if "event" in fields:
            found.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
    return found


@pytest.fixture
def li(client: TestClient) -> str:
    """The id of the account that the client is signed in with."""
    return str(bench.sign_up(client)["id"])


def test_a_stream_goes_on_from_every_single_message(client: TestClient, workbench: Workbench, li: str) -> None:
    job = made(workbench, li)
    told(workbench, job, *points(1, 20))
    (workbench.jobs.folder_of(job) / layout.LOG).write_text("one\ntwo\n")
    whole = messages(client.get(f"/api/v1/jobs/{job.id}/events").text)
    assert [data["step"] for _, name, data in whole if name == "event"] == list(range(1, 21))
    assert whole[-1][1] == "end"
    for id, name, data in whole:
        if name == "event":
            rest = messages(client.get(f"/api/v1/jobs/{job.id}/events", headers={"last-event-id": id}).text)
            assert [one["step"] for _, kind, one in rest if kind == "event"] == list(range(data["step"] + 1, 21))
            assert [one["lines"] for _, kind, one in rest if kind == "log"] == [["one", "two"]]


def test_what_an_attempt_repeats_counts_once(client: TestClient, workbench: Workbench, li: str) -> None:
    job = made(workbench, li)
    again = {"event": "start", "resumed": 5, "total": 100}
    told(workbench, job, *points(1, 9), again, {"event": "progress", "step": 6, "loss": float("nan")}, *points(7, 12))
    view = client.get(f"/api/v1/jobs/{job.id}/curves").json()
    assert view["steps"] == [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12]
    assert (view["resumed"], view["total"], view["points"]) == ([5], 100, 11)
    told(workbench, job, *points(13, 100))
    thin = client.get(f"/api/v1/jobs/{job.id}/curves", params={"points": 10}).json()
    assert len(thin["steps"]) <= 12 and {1, 100} <= set(thin["steps"]) and thin["points"] == 99


def test_the_end_of_a_log_is_shown_without_what_a_terminal_would_do(
    client: TestClient, workbench: Workbench, li: str
) -> None:
    job = made(workbench, li)
    path = workbench.jobs.folder_of(job) / layout.LOG
    path.write_bytes(
        b"x" * 11_000_000 + b"\n" + b"".join(b"line %d\n" % n for n in range(3000)) + b"\x1b[31m1%\r2%\nhalf"
    )
    view = client.get(f"/api/v1/jobs/{job.id}/log").json()
    assert len(view["lines"]) == 2000 and view["lines"][-2:] == ["line 2999", "2%"]
    assert view["position"] == path.stat().st_size - 4


def test_attack_28_nobody_else_sees_or_follows_a_run(client: TestClient, workbench: Workbench, li: str) -> None:
    job = made(workbench, li)
    told(workbench, job, *points(1, 3))
    position = messages(client.get(f"/api/v1/jobs/{job.id}/events").text)[-1][0]
    bench.member(workbench, _person(workbench, client), "wang")
    client.cookies.clear()
    client.post("/api/v1/session", json={"name": "wang", "password": bench.PASSWORD})
    for address in ("events", "curves", "log", "progress", "changes", "files", "weights.zip"):
        headers = {"last-event-id": position}
        assert client.get(f"/api/v1/jobs/{job.id}/{address}", headers=headers).status_code == 404, address
    for address in ("", "/head", "?tab=configuration", "?tab=files"):
        assert client.get(f"/runs/{job.id}{address}", headers=HTML).status_code == 404, address
    for act in ("stop", "resume", "remove"):
        assert client.post(f"/runs/{job.id}/{act}", headers=HTML).status_code == 404, act
    assert client.post(f"/runs/{job.id}/clone", data={"key": "1"}, headers=HTML).status_code == 404
    assert client.post(f"/runs/{job.id}/rename", data={"title": "mine"}, headers=HTML).status_code == 404
    assert "A run" not in client.get("/runs", headers=HTML).text


def test_attack_63_an_account_follows_so_many_and_no_more(
    served: str, workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOST_STREAMS", 2)
    workbench.scheduler.stop()
    owner = workbench.accounts.sign_up("li", bench.PASSWORD)
    job = made(workbench, owner.id, state="running")
    cookies = {"metier": workbench.accounts.sign_in_as(owner)}
    address = f"{served}/api/v1/jobs/{job.id}/events"
    with httpx.stream("GET", address, cookies=cookies) as one, httpx.stream("GET", address, cookies=cookies) as two:
        reading = [one.iter_lines(), two.iter_lines()]
        assert all(next(lines) for lines in reading)
        refused = httpx.get(address, cookies=cookies)
        assert refused.status_code == 429 and refused.headers["retry-after"]
    bench.wait_for(lambda: not workbench.followers._tails, 5)  # who has gone is forgotten, and what was read for them
    with httpx.stream("GET", address, cookies=cookies, timeout=20) as again:
        assert again.status_code == 200


def test_in_a_queue_others_are_there_without_being_known(client: TestClient, workbench: Workbench, li: str) -> None:
    workbench.scheduler.stop()
    admin = _person(workbench, client)
    wang = bench.member(workbench, admin, "wang")
    hers = made(workbench, wang.id, state="queued", title="Her work", place=1.0)
    his = made(workbench, li, state="queued", title="His work", place=2.0)
    page = client.get("/runs/queue", headers=HTML).text
    # An admin orders the queue and may stop what waits in it.
    assert "Her work" in page and f"/runs/{hers.id}/stop" in page
    assert f'href="/runs/{hers.id}"' not in page and f'href="/runs/{his.id}"' in page
    assert client.put(f"/api/v1/jobs/{his.id}/place", json={"before": hers.id}).status_code == 204
    client.cookies.clear()
    client.post("/api/v1/session", json={"name": "wang", "password": bench.PASSWORD})
    page = client.get("/runs/queue", headers=HTML).text
    assert "Her work" in page and "His work" not in page and his.id not in page
    assert client.put(f"/api/v1/jobs/{his.id}/place", json={"before": None}).status_code == 404


def test_weights_come_as_one_file(client: TestClient, workbench: Workbench, li: str) -> None:
    job = made(workbench, li)
    assert client.get(f"/api/v1/jobs/{job.id}/weights.zip").status_code == 409
    folder = workbench.jobs.folder_of(job) / layout.RUN / "steps" / "train" / "adapter"
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(b"w" * 3_000_000)
    with ZipFile(BytesIO(client.get(f"/api/v1/jobs/{job.id}/weights.zip").content)) as archive:
        assert archive.testzip() is None
        assert archive.read("adapter_model.safetensors") == b"w" * 3_000_000


def test_a_stream_ends_with_the_sign_in(served: str, workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_CHECK_SECONDS", 0.0)
    monkeypatch.setattr(following, "_QUIET_SECONDS", 0.1)
    workbench.scheduler.stop()
    owner = workbench.accounts.sign_up("li", bench.PASSWORD)
    job = made(workbench, owner.id, state="running")
    token = workbench.accounts.sign_in_as(owner)
    with httpx.stream("GET", f"{served}/api/v1/jobs/{job.id}/events", cookies={"metier": token}, timeout=10) as answer:
        lines = answer.iter_lines()
        assert any("running" in line for line in lines)
        workbench.accounts.sign_out(token)
        assert "event: gone" in list(lines)


def test_a_form_that_is_sent_twice_does_one_thing(client: TestClient, workbench: Workbench, li: str) -> None:
    where = {client.post("/demo", data={"key": "one"}, headers=HTML).headers["location"] for _ in range(3)}
    assert len(where) == 1
    assert client.get("/api/v1/jobs").json()["total"] == 1
    assert client.get(where.pop(), headers=HTML).status_code == 200


def test_a_clone_says_what_it_changed(client: TestClient, workbench: Workbench, li: str) -> None:
    first = made(workbench, li)
    work = {**first.spec["asked"], "learning_rate": 0.01}
    second = made(workbench, li, spec={"asked": work, "work": work}, cloned_from=first.id)
    view = client.get(f"/api/v1/jobs/{second.id}/changes").json()
    assert view == {"from": first.id, "changes": [{"key": "learning_rate", "before": 0.001, "now": 0.01}]}
    page = client.get(f"/runs/{second.id}?tab=configuration", headers=HTML).text
    assert "learning_rate: 0.01" in page


def test_a_child_speaks_its_owners_language(workbench: Workbench, owner: Person) -> None:
    workbench.accounts.set_language(owner, "zh")
    assert workbench._environment(made(workbench, owner.id))["METIER_LANGUAGE"] == "zh"


def test_home_tells_what_ended_since_the_last_visit(client: TestClient, workbench: Workbench, li: str) -> None:
    made(workbench, li, title="Long ago", ended=now().replace(year=2020))
    made(workbench, li, title="Just now", ended=now())
    assert "Long ago" in client.get("/", headers=HTML).text
    client.cookies.delete("metier_visit")
    client.cookies.set("metier_visit", "0.1700000000", domain="localhost.local", path="/")
    for _ in range(2):  # a refresh belongs to the same visit
        page = client.get("/", headers=HTML).text
        assert "Just now" in page and "Long ago" not in page


def _person(workbench: Workbench, client: TestClient) -> Person:
    person = workbench.accounts.person_of_token(client.cookies["metier"])
    assert person is not None
    return person


@pytest.mark.parametrize("kind", ["chat", "job"])
def test_every_page_of_a_waiting_job_says_what_holds_the_device(
    client: TestClient, li: str, workbench: Workbench, kind: str
) -> None:
    workbench.scheduler.stop()
    holder = made(workbench, li, "running", title="The one before").id if kind == "job" else "feedfeedfeedfeed"
    waiting = made(workbench, li, "queued", kind="score", wanted_devices=1)
    with workbench.database.write() as session:
        session.add(Lease(device="cpu", holder_kind=kind, holder_id=holder, owner_id=li))
    sign = f'data-unload="{holder}"' if kind == "chat" else "The one before"
    for path in (f"/evaluate/{waiting.id}", f"/runs/{waiting.id}", "/runs", "/"):
        answer = client.get(path, headers=HTML)
        assert answer.status_code == 200, path
        assert path == "/" or sign in answer.text, path


def test_the_fetching_of_a_model_is_told_in_bytes(client: TestClient, li: str, workbench: Workbench) -> None:
    workbench.scheduler.stop()
    job = made(workbench, li, "running")
    told(workbench, job, {"event": "progress", "step": 92_871_040, "total": 185_742_080, "unit": "bytes", "of": ""})
    for path in (f"/runs/{job.id}", "/runs", "/"):
        text = client.get(path, headers=HTML).text
        assert "Fetching the model" in text and "92.9 MB / 186 MB" in text, path


@pytest.mark.parametrize("odd", ["²", "9" * 11, "-1", "1e3", ""])
def test_what_a_browser_sends_back_may_be_anything(client: TestClient, li: str, workbench: Workbench, odd: str) -> None:
    job = made(workbench, li)
    told(workbench, job, *points(1, 3))
    for asked in ({"params": {"from": f"e{odd}.l{odd}"}}, {"headers": {"last-event-id": f"e{odd}.l{odd}".encode()}}):
        seen = messages(client.get(f"/api/v1/jobs/{job.id}/events", **asked).text)
        assert seen[-1][1] == "end"
    assert _last_visit(f"{odd}.{odd}")[1].startswith(("0.", "9"))
    cookie = f"metier={client.cookies['metier']}; metier_visit={odd}.{odd}"
    client.cookies.clear()
    assert client.get("/", headers={**HTML, "cookie": cookie.encode("latin-1")}).status_code == 200
