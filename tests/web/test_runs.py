"""Runs in a real browser: a curve that outlives its server, an order that is dragged, and logs that can do nothing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from tools.screenshot import Browser

from metier.core.files import append_jsonl
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.store.tables import Job
from metier.workbench.workbench import Workbench
from tests.faults.children import give_model, training
from tests.faults.test_server import upload
from tests.support.bench import PASSWORD
from tests.support.server import started

pytestmark = pytest.mark.slow
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>\x1b]0;x\x07</pre><b>bold"
AXE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"


def sign_in(tab: Browser, address: str) -> None:
    tab.open(address + "/", width=1440)
    tab.fill("[name=name]", "li")
    tab.fill("[name=password]", PASSWORD)
    tab.submit(".fields button")


def made(workbench: Workbench, owner: Person, state: str, title: str, **values: Any) -> Job:
    """A job as if it were in this state; the queue must not be looked after."""
    work = {"model_name_or_path": "smollm2-135m", "dataset": "medical_demo_en"}
    job = Job(owner_id=owner.id, kind="train", title=title, spec={"asked": work, "work": work}, state=state, **values)
    with workbench.database.write() as session:
        session.add(job)
    workbench.jobs.folder_of(job).mkdir(parents=True)
    return job


def told(workbench: Workbench, job: Job, *events: dict[str, Any]) -> None:
    append_jsonl(workbench.jobs.folder_of(job) / layout.EVENTS, [{"of": "train", **event} for event in events])


def point(step: int, total: int = 50) -> dict[str, Any]:
    return {"event": "progress", "step": step, "total": total, "loss": 2 / step, "learning_rate": 1e-3,
            "tokens_per_second": 100.0, "memory_bytes": 10**9, "eta_seconds": total - step}  # fmt: skip


def violations(tab: Browser) -> list[str]:
    """Serious and critical findings of axe on the page."""
    tab.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
    found = tab.evaluate("axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes[0].html]))")
    return [one for one in found if one[0] in ("serious", "critical")]


STEPS = "metierRun.charts.points.steps"


def test_fault_48_a_curve_goes_on_when_the_server_was_killed(tmp_path: Path, tiny_model: Path, tab: Browser) -> None:
    give_model(tiny_model)
    folder = tmp_path / "served"
    with started(folder) as server:
        client = server.client()
        sign_in(tab, server.address)
        upload(client)
        work = training(num_train_epochs=400)  # longer than this test, however fast the machine
        job = client.post("/api/v1/jobs", json={"kind": "train", "work": work}).json()
        tab.open(f"{server.address}/runs/{job['id']}", width=1440)
        tab.wait_for(f"window.metierRun && {STEPS}.length >= 20", 120)
        server.kill()
        tab.wait_for("!document.getElementById('lost').classList.contains('hidden')", 20)
        seen = tab.evaluate(f"{STEPS}.length")
        port = int(server.address.rpartition(":")[2])
    with started(folder, port=port) as server:
        client = server.client()
        tab.wait_for("document.getElementById('lost').classList.contains('hidden')", 30)
        tab.wait_for(f"{STEPS}.length >= {seen + 20}", 120)
        log = "document.getElementById('log').textContent"
        lines = tab.evaluate(f"{log}.split('\\n').filter(l => l.includes('/16000'))")
        assert len(lines) == len(set(lines)) > seen
        tab.submit("form[action$='/stop'] button")
        tab.wait_for("!!document.querySelector('#ending')", 60)
        stopped = tab.evaluate(STEPS)[-1]
        tab.submit("form[action$='/resume'] button")
        tab.wait_for(f"window.metierRun && {STEPS}.length >= {stopped + 20}", 120)
        client.post(f"/api/v1/jobs/{job['id']}/cancel")
        tab.wait_for("!!document.querySelector('#ending')", 60)
        steps = tab.evaluate(STEPS)
        assert steps == list(range(1, steps[-1] + 1))
        assert tab.evaluate("metierRun.charts.points.resumed") == [stopped]
        losses = tab.evaluate("metierRun.charts.points.loss")
        tab.open(f"{server.address}/runs/{job['id']}", width=1440)
        tab.wait_for(f"window.metierRun && {STEPS}.length === {steps[-1]}")
        assert tab.evaluate("metierRun.charts.points.loss") == losses


def test_what_is_told_comes_at_once_and_can_do_nothing(served: str, workbench: Workbench, tab: Browser) -> None:
    workbench.scheduler.stop()
    sign_in(tab, served)
    owner = workbench.accounts.person_of_token(workbench.accounts.sign_in("li", PASSWORD))
    assert owner is not None
    job = made(workbench, owner, "running", EVIL)
    told(workbench, job, *(point(step) for step in range(1, 11)))
    log = workbench.jobs.folder_of(job) / layout.LOG
    log.write_text("before\n")
    for width in (1440, 390):
        tab.open(f"{served}/runs/{job.id}", width=width)
        tab.wait_for(f"window.metierRun && {STEPS}.length === 10 && metierRun.source?.readyState === 1")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
    began = time.monotonic()
    with log.open("a") as target:
        target.write(EVIL + "\n")
    tab.wait_for("document.getElementById('log').textContent.includes('bold')")
    assert time.monotonic() - began < 1.0
    told(workbench, job, point(11), {"event": "start", "resumed": 8, "total": 50}, point(9))
    tab.wait_for(f"{STEPS}.at(-1) === 9")
    assert tab.evaluate("metierRun.charts.points.resumed") == [8]
    assert tab.evaluate("document.querySelector('[data-figure=step] dd').textContent") == "9 / 50"
    assert "0:4" in tab.evaluate("document.getElementById('left').textContent")
    assert tab.evaluate("document.querySelectorAll('#log *, h1 img, main script').length") == 0
    assert violations(tab) == []
    assert tab.messages == []
    assert [one for one in tab.requests if not one.startswith((served, "data:"))] == []


def test_the_queue_is_dragged_and_moved_by_keys(served: str, workbench: Workbench, tab: Browser) -> None:
    workbench.scheduler.stop()
    sign_in(tab, served)
    owner = workbench.accounts.person_of_token(workbench.accounts.sign_in("li", PASSWORD))
    assert owner is not None
    jobs = [made(workbench, owner, "queued", f"{name} {EVIL}", place=float(at)) for at, name in enumerate("abc")]
    done = made(workbench, owner, "done", "finished")

    def order() -> str:
        return "".join(job.title[0] for job in workbench.jobs.queue())

    tab.open(f"{served}/runs", width=1440)
    tab.evaluate(f"document.getElementById('up-{jobs[2].id}').focus()")
    tab.click(f"#up-{jobs[2].id}")
    wait = time.monotonic() + 10
    while order() != "acb" and time.monotonic() < wait:
        time.sleep(0.05)
    assert order() == "acb"
    tab.wait_for(f"document.activeElement.id === 'up-{jobs[2].id}'")  # the keyboard stays where it was
    tab.evaluate("""(() => {
      const [first, , last] = document.querySelectorAll('[data-waits]');
      const box = last.getBoundingClientRect();
      const data = new DataTransfer();
      const send = (on, name, y) => on.dispatchEvent(new DragEvent(name, {bubbles: true, cancelable: true, clientY: y, dataTransfer: data}));
      send(first, 'dragstart', 0); send(last, 'dragover', box.bottom - 1); send(last, 'drop', box.bottom - 1); send(first, 'dragend', 0);
    })()""")  # noqa: E501
    wait = time.monotonic() + 10
    while order() != "cba" and time.monotonic() < wait:
        time.sleep(0.05)
    assert order() == "cba"
    assert violations(tab) == []
    tab.submit(f"form[action='/runs/{done.id}/remove'] button")
    assert "finished" not in tab.evaluate("document.querySelector('main').textContent")
    tab.open(f"{served}/runs", width=390)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.open(f"{served}/", width=390)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(tab) == []
    assert tab.messages == []
