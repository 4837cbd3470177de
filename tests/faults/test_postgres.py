"""The same on PostgreSQL, which the tests make, stop and start themselves. Part of `make test-all`."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from metier.core.errors import RunError
from metier.workbench.backup import backup, restore
from metier.workbench.chatsetup import ChatSampling, ChatSetup
from metier.workbench.errors import RefusedError
from metier.workbench.store.tables import User
from metier.workbench.workbench import Workbench
from tests.faults.children import give_data, give_model, training
from tests.faults.test_server import point, upload
from tests.support.bench import PASSWORD, opened, settings, wait_for
from tests.support.postgres import Postgres
from tests.support.server import started

pytestmark = pytest.mark.long


def test_jobs_run_on_it_and_a_second_server_refuses(postgres: Postgres, tmp_path: Path, tiny_model: Path) -> None:
    url = postgres.create("jobs")
    give_model(tiny_model)
    with opened(tmp_path / "bench", database_url=url) as bench:
        owner = bench.accounts.sign_up("李", PASSWORD)
        give_data(bench, owner)
        bench.start()
        job = bench.jobs.submit(owner, "train", training(num_train_epochs=1), title="标题")
        wait_for(lambda: bench.jobs.get(owner, job.id).state == "done")
        assert bench.jobs.page(owner, search="标").total == 1
        with pytest.raises(RunError, match="Another server"):
            Workbench(settings(tmp_path / "other", database_url=url))


def test_a_chat_is_answered_and_found_on_it(postgres: Postgres, tmp_path: Path, talking_model: Path) -> None:
    give_model(talking_model)
    with opened(tmp_path / "bench", database_url=postgres.create("chats")) as bench:
        owner = bench.accounts.sign_up("李", PASSWORD)
        bench.start()
        setup = ChatSetup(models=("tiny",), sampling=ChatSampling(temperature=0, max_new_tokens=9))
        chat = bench.chats.create(owner, setup)
        bench.chats.ask(owner, chat.id, "你好\0吗？")
        answer = wait_for(lambda: (one := bench.chats.turns(owner, chat.id)[1]).state == "whole" and one)
        assert [one.id for one in bench.chats.page(owner, search=answer.text).chats] == [chat.id]
        bench.chats.regenerate(owner, chat.id, answer.id)
        bench.chats.remove(owner, chat.id)
        assert bench.chats.page(owner).chats == []


def test_fifty_sign_ups_at_once_make_one_admin(postgres: Postgres, tmp_path: Path) -> None:
    with opened(tmp_path / "bench", database_url=postgres.create("many")) as bench:
        refused = []

        def sign_up(number: int) -> None:
            try:
                bench.accounts.sign_up(f"user{number}", PASSWORD)
            except RefusedError as error:
                refused.append(error)

        threads = [threading.Thread(target=sign_up, args=(number,)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with bench.database.read() as session:
            assert [user.role for user in session.query(User)] == ["admin"]
        assert len(refused) == 49


def test_a_backup_of_sqlite_goes_back_into_it(postgres: Postgres, tmp_path: Path) -> None:
    with opened(tmp_path / "one") as bench:
        owner = bench.accounts.sign_up("li", PASSWORD)
        give_data(bench, owner)
        backup(bench.settings, tmp_path / "backup.tar")
    url = postgres.create("restored")
    restore(tmp_path / "backup.tar", settings(tmp_path / "two", database_url=url))
    with opened(tmp_path / "two", database_url=url) as bench:
        person = bench.accounts.person_of_token(bench.accounts.sign_in("li", PASSWORD))
        assert person == owner
        assert [row.name for row in bench.datasets.list(owner)] == ["cases"]


def test_fault_25_while_it_is_down_requests_wait_politely_and_jobs_go_on(
    postgres: Postgres, tmp_path: Path, tiny_model: Path
) -> None:
    url = postgres.create("down")
    give_model(tiny_model)
    with started(tmp_path / "bench", "--database_url", url) as server:
        client = server.client()
        upload(client)
        job = client.post("/api/v1/jobs", json={"kind": "train", "work": training()}).json()
        wait_for(lambda: point(client, job["id"]) >= 20)
        postgres.stop()
        away = client.get("/api/v1/jobs")
        assert away.status_code == 503
        assert int(away.headers["retry-after"]) > 0
        assert httpx.get(server.address + "/healthz").status_code == 200
        assert httpx.get(server.address + "/readyz").status_code == 503
        postgres.start()
        wait_for(lambda: client.get(f"/api/v1/jobs/{job['id']}").status_code == 200)
        wait_for(lambda: client.get(f"/api/v1/jobs/{job['id']}").json()["state"] == "done", 300)
        assert client.get(f"/api/v1/jobs/{job['id']}").json()["attempts"] == 1
        assert server.stop() == 0
