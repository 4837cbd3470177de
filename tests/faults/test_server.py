"""Faults of the server itself, by the number of `checks/faults.md`."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from metier.core.errors import CorruptionError, MetierError, RunError
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.childlog import keep_output
from metier.workbench.store.database import Database
from metier.workbench.store.tables import User
from metier.workbench.workbench import Workbench
from tests.faults.children import give_data, give_model, training
from tests.support.bench import opened, settings, wait_for
from tests.support.server import Server, started


def test_fault_08_the_second_server_on_a_folder_refuses(workbench: Workbench) -> None:
    with pytest.raises(RunError, match="Another server"):
        Workbench(settings(workbench.folder))


def test_fault_22_a_flipped_byte_in_a_set_is_found_before_it_is_used(workbench: Workbench, owner: Person) -> None:
    give_data(workbench, owner)
    file = workbench.datasets.file_of(workbench.datasets.get(owner, "cases"))
    content = bytearray(file.read_bytes())
    content[20] ^= 1
    file.write_bytes(content)
    with pytest.raises(CorruptionError, match="cases"):
        workbench.jobs.submit(owner, "prepare", {"dataset": "cases"})
    assert not any(workbench.settings.jobs.iterdir())


@pytest.mark.parametrize("tenth", range(10))
def test_fault_23_a_cut_database_is_refused_or_whole_never_empty_in_silence(tmp_path: Path, tenth: int) -> None:
    folder = tmp_path / "bench"
    with opened(folder) as bench:
        owner = bench.accounts.sign_up("li", "a good long password")
        give_data(bench, owner)
    file = folder / "metier.db"
    size = file.stat().st_size
    with file.open("r+b") as handle:
        handle.truncate(size * tenth // 10)
    try:
        with opened(folder) as bench, bench.database.read() as session:
            assert session.query(User).count() == 1
            assert bench.datasets.list(owner)
    except MetierError as error:
        assert "backup" in error.text("en")


def test_fault_27_many_writers_and_a_long_reader_lose_nothing(workbench: Workbench) -> None:
    admin = workbench.accounts.sign_up("li", "a good long password")
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for turn in range(5):
                workbench.accounts.create_key(admin, f"{number}-{turn}")
        except BaseException as error:
            failures.append(error)

    with workbench.database.read() as session:
        assert session.query(User).count() == 1
        threads = [threading.Thread(target=write, args=(number,)) for number in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    assert len(workbench.accounts.keys(admin)) == 320


def test_fault_30_an_older_program_refuses_a_newer_database(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'metier.db'}")
    database.upgrade()
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(RunError, match="newer"):
        database.upgrade()
    database.close()


def test_fault_30_a_migration_that_is_cut_off_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import alembic.op

    made = 0
    create = alembic.op.create_table

    def create_some(*arguments: Any, **values: Any) -> Any:
        nonlocal made
        made += 1
        if made == 5:
            raise KeyboardInterrupt
        return create(*arguments, **values)

    monkeypatch.setattr(alembic.op, "create_table", create_some)
    database = Database(f"sqlite:///{tmp_path / 'metier.db'}")
    with pytest.raises(KeyboardInterrupt):
        database.upgrade()
    monkeypatch.undo()
    assert database.revision() is None
    database.upgrade()
    database.close()


def test_fault_31_a_clock_that_jumps_ends_no_job_and_no_sign_in(
    workbench: Workbench, owner: Person, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from metier.workbench import accounts, scheduler
    from metier.workbench.store import tables

    give_model(tiny_model)
    give_data(workbench, owner)
    token = workbench.accounts.sign_in("li", "a good long password")
    job = workbench.jobs.submit(owner, "prepare", {"model_name_or_path": "tiny", "dataset": "cases"})
    real = tables.now
    for hours in (1, -1):
        for module in (tables, accounts, scheduler):
            monkeypatch.setattr(module, "now", lambda hours=hours: real() + timedelta(hours=hours))
        workbench.scheduler.tick()
        assert workbench.accounts.person_of_token(token) == owner
    wait_for(lambda: workbench.scheduler.tick() or workbench.jobs.get(owner, job.id).state == "done")
    assert workbench.jobs.get(owner, job.id).attempts == 1


@pytest.mark.parametrize("tenth", [1, 5, 9])
def test_fault_38_an_upload_that_breaks_off_leaves_nothing(workbench: Workbench, owner: Person, tenth: int) -> None:
    import asyncio

    async def parts() -> Any:
        for number in range(10):
            if number == tenth:
                raise ConnectionError
            yield b"x" * 1000

    with pytest.raises(ConnectionError):
        asyncio.run(workbench.datasets.receive(owner, "a.jsonl", parts()))
    assert [path for path in workbench.settings.uploads.rglob("*") if path.is_file()] == []
    assert workbench.datasets.used_bytes(owner) == 0
    give_data(workbench, owner)


def test_fault_47_a_log_without_end_is_kept_short(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys, time; from pathlib import Path; from metier.workbench.childlog import keep_output;"
        "keep_output(Path(sys.argv[1])); print('the beginning', flush=True);"
        "[print('x' * 100_000) for _ in range(300)]; print('the end', flush=True); time.sleep(1)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / layout.LOG)], check=True)
    content = (tmp_path / layout.LOG).read_bytes()
    assert len(content) < 5_000_000
    assert content.startswith(b"the beginning")
    assert content.rstrip().endswith(b"the end")
    assert callable(keep_output)


@pytest.mark.slow
def test_fault_05_09_a_server_that_is_killed_or_stopped_lets_jobs_go_on(tmp_path: Path, tiny_model: Path) -> None:
    folder = tmp_path / "bench"
    give_model(tiny_model)
    with started(folder) as server:
        client = server.client()
        upload(client)
        work = training(num_train_epochs=16)  # still at work when the server is back, however fast the machine
        job = client.post("/api/v1/jobs", json={"kind": "train", "work": work}).json()
        wait_for(lambda: point(client, job["id"]) >= 50, 200)
        server.kill()
    with started(folder) as server:
        client = server.client()
        began = time.monotonic()
        state = client.get(f"/api/v1/jobs/{job['id']}").json()
        assert (state["state"], state["attempts"]) == ("running", 1)
        assert time.monotonic() - began < 5
        ended = threading.Event()
        follower = threading.Thread(target=follow, args=(client, job["id"], ended))
        follower.start()
        wait_for(lambda: point(client, job["id"]) >= 70, 200)
        assert server.stop() == 0
        assert ended.wait(5)
    with started(folder) as server:
        client = server.client()
        wait_for(lambda: client.get(f"/api/v1/jobs/{job['id']}").json()["state"] == "done", 300)
        steps = client.get(f"/api/v1/jobs/{job['id']}/curves").json()["steps"]
        assert client.get(f"/api/v1/jobs/{job['id']}").json()["attempts"] == 1
        assert steps == list(range(1, 641))
        assert server.stop() == 0


@pytest.mark.slow
def test_fault_21_few_file_descriptors_do_not_end_the_server(tmp_path: Path) -> None:
    with started(tmp_path / "bench", before="ulimit -n 64") as server:
        client = server.client()
        crowd = []
        for _ in range(80):
            try:
                crowd.append(httpx.Client(base_url=server.address, timeout=2))
                crowd[-1].get("/healthz")
            except httpx.HTTPError:
                continue  # refused while there are none left: that is what must be survived
        for one in crowd:
            one.close()
        wait_for(lambda: ok(server, client))
        assert server.stop() == 0


@pytest.mark.slow
def test_fault_46_without_a_hub_a_download_says_what_to_do(tmp_path: Path) -> None:
    with started(tmp_path / "bench", HF_HUB_OFFLINE="1", METIER_OFFLINE="1") as server:
        client = server.client()
        job = client.post("/api/v1/jobs", json={"kind": "fetch", "work": {"model": "qwen3-8b"}}).json()
        ended = wait_for(lambda: (now := client.get(f"/api/v1/jobs/{job['id']}").json())["state"] == "failed" and now)
        assert "qwen3-8b" in ended["reason"].lower()
        assert "Traceback" not in ended["reason"]


def upload(client: httpx.Client, name: str = "cases") -> None:
    """A small set over the API."""
    rows = [{"instruction": f"Case {n}: what?", "input": "", "output": f"It is number {n}."} for n in range(40)]
    content = "".join(json.dumps(row) + "\n" for row in rows)
    taken = client.post("/api/v1/uploads", params={"name": "cases.jsonl"}, content=content).json()
    client.post("/api/v1/datasets", json={"upload": taken["id"], "name": name}).raise_for_status()


def point(client: httpx.Client, job_id: str) -> int:
    """The newest step of a training."""
    steps = client.get(f"/api/v1/jobs/{job_id}/curves").json()["steps"]
    return steps[-1] if steps else 0


def follow(client: httpx.Client, job_id: str, ended: threading.Event) -> None:
    """Reads a job's stream to its end."""
    try:
        with client.stream("GET", f"/api/v1/jobs/{job_id}/events") as stream:
            for _ in stream.iter_lines():
                pass
    finally:
        ended.set()


def ok(server: Server, client: httpx.Client) -> bool:
    """Whether the server answers again."""
    if server.process.poll() is not None:
        raise RuntimeError("the server ended")
    try:
        return client.get("/api/v1/me").status_code == 200
    except httpx.HTTPError:
        return False
