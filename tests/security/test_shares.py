"""Shared reports and downloads: what a link opens, for how long, and what it never opens."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from metier.workbench.accounts import Person
from metier.workbench.store.tables import Base, Job, Share, now
from metier.workbench.workbench import Workbench
from tests.support.bench import PASSWORD
from tests.support.finished import recipe_job


@pytest.fixture
def li(client: TestClient, owner: Person) -> TestClient:
    """A client in which the owner is signed in."""
    client.post("/api/v1/session", json={"name": "li", "password": PASSWORD}).raise_for_status()
    return client


@pytest.fixture
def job(workbench: Workbench, owner: Person) -> Job:
    return recipe_job(workbench, owner)


def share(client: TestClient, job: Job, days: int = 7) -> dict[str, str]:
    answer = client.post(f"/api/v1/jobs/{job.id}/shares", json={"days": days})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_link_shows_the_report_in_the_readers_language_and_nothing_else(li: TestClient, job: Job) -> None:
    made = share(li, job)
    li.cookies.clear()
    page = li.get(made["address"], headers={"accept-language": "zh-CN"})
    assert page.status_code == 200 and page.text.startswith("<!doctype html>")
    assert '<html lang="zh-CN">' in page.text and "set-cookie" not in page.headers
    assert '<html lang="en">' in li.get(made["address"], headers={"accept-language": "en"}).text
    policy = page.headers["content-security-policy"]
    assert "sandbox" in policy and "default-src 'none'" in policy and "script-src" not in policy
    assert page.headers["referrer-policy"] == "no-referrer" and page.headers["cache-control"] == "no-store"
    assert li.get(f"/api/v1/jobs/{job.id}").status_code == 401


def test_attack_23_a_shared_report_is_read_only_and_gone_when_withdrawn(li: TestClient, job: Job) -> None:
    made = share(li, job)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert li.request(method, made["address"], json={}).status_code in (403, 404, 405), method
    assert li.get(made["address"] + "/page").status_code == 404
    assert li.delete(f"/api/v1/jobs/{job.id}/shares/{made['id']}").status_code == 204
    assert li.get(made["address"]).status_code == 404
    assert li.delete(f"/api/v1/jobs/{job.id}/shares/{made['id']}").status_code == 404


def test_attack_23_a_link_ends_with_its_time_its_run_and_its_owner(
    li: TestClient, workbench: Workbench, owner: Person, job: Job
) -> None:
    late, other, last = share(li, job, 1), share(li, job, 30), share(li, job)
    with workbench.database.write() as session:
        row = session.get(Share, late["id"])
        assert row is not None
        row.expires = now() - timedelta(seconds=1)
    assert li.get(late["address"]).status_code == 404
    assert [one["id"] for one in li.get(f"/api/v1/jobs/{job.id}/shares").json()] == [last["id"], other["id"]]
    assert li.get(other["address"]).status_code == 200
    assert li.delete(f"/api/v1/jobs/{job.id}").status_code == 204
    assert li.get(other["address"]).status_code == 404
    with workbench.database.read() as session:
        assert session.query(Share).count() == 0
    assert not workbench.jobs.folder_of(job).exists()


def test_attack_27_tokens_are_long_not_kept_and_not_derivable(li: TestClient, workbench: Workbench, job: Job) -> None:
    tokens = [share(li, job)["address"].removeprefix("/shared/") for _ in range(19)]
    kept = {"Idempotency-Key": "once"}
    first, again = (li.post(f"/api/v1/jobs/{job.id}/shares", json={}, headers=kept).json() for _ in range(2))
    assert first == again
    tokens.append(first["address"].removeprefix("/shared/"))
    assert len(set(tokens)) == 20 and all(len(token) >= 43 for token in tokens)  # 256 bits
    assert not {token[:6] for token in tokens} & {token[-6:] for token in tokens}
    assert len({token[:6] for token in tokens}) == 20
    with workbench.database.read() as session:
        stored = str([session.execute(table.select()).all() for table in Base.metadata.sorted_tables])
        assert job.id in stored and not any(token in stored for token in tokens)
        ids = [row.id for row in session.query(Share)]
        digests = [row.digest for row in session.query(Share)]
    for guess in (*ids, *digests, job.id, "", "x" * 43, "x" * 5000, tokens[0][:-1], tokens[0] + "A", tokens[0].upper()):
        assert li.get(f"/shared/{guess}").status_code == 404, guess


ESCAPES = (
    *("..%252f..%252f..%252fetc%252fpasswd", "....//....//etc/passwd", "%2e%2e/%2e%2e/job.json", "..%2f..%2fjob.json"),
    *("report/..%2f..%2f..%2fjob.json", "/etc/passwd", "report/report.html%00.json", "train/adapter/secret"),
    *("train/model/passwd", "report%2f..%2freport%2freport.html", "report\\report.html"),
)


def test_attack_30_a_download_is_one_of_the_list(li: TestClient, workbench: Workbench, job: Job) -> None:
    folder = workbench.jobs.folder_of(job)
    train = folder / "run" / "steps" / "train"
    (train / "adapter").mkdir(parents=True)
    twin = Path(f"{folder}-evil")  # begins with the folder's own path
    twin.mkdir()
    (twin / "secret").write_text("secret")
    (train / "adapter" / "secret").symlink_to(twin / "secret")
    (train / "model").symlink_to("/etc")
    for name in ESCAPES:
        assert li.get(f"/api/v1/jobs/{job.id}/files/{name}").status_code == 404, name
    assert li.get(f"/api/v1/jobs/{job.id}/files/report/report.html").status_code == 200


def test_attack_36_many_ranges_cost_nothing(li: TestClient, job: Job) -> None:
    address = f"/api/v1/jobs/{job.id}/files/report/report.html"
    assert li.get(address, headers={"Range": "bytes=0-9"}).status_code == 206
    many = "bytes=" + ",".join(f"{n}-{n}" for n in range(100_000))
    for ranges in (many, "bytes=" + "0-0," * 100_000 + "0-0", "bytes=" + "0" * 300_000 + "-", "bytes=5-1", "bytes=x"):
        start = time.perf_counter()
        answer = li.get(address, headers={"Range": ranges})
        assert time.perf_counter() - start < 1.0, ranges[:40]
        assert answer.status_code in (200, 206, 400, 416)
        assert len(answer.content) < 2_000_000


def test_attack_57_names_of_files_do_not_split_headers(li: TestClient, workbench: Workbench, job: Job) -> None:
    adapter = workbench.jobs.folder_of(job) / "run" / "steps" / "train" / "adapter"
    adapter.mkdir(parents=True)
    for name in ("a\r\nSet-Cookie: evil=1\r\n\r\n<script>.html", "b\"; filename*=utf-8''evil.exe", "报告.bin"):
        (adapter / name).write_bytes(b"x")
    names = [one["name"] for one in li.get(f"/api/v1/jobs/{job.id}/files").json() if "adapter" in one["name"]]
    assert len(names) == 3
    for name in names:
        answer = li.get(f"/api/v1/jobs/{job.id}/files/{_quoted(name)}")
        assert "set-cookie" not in answer.headers, name
        if "\n" in name:
            assert answer.status_code == 404  # an address has one line
            continue
        disposition = answer.headers["content-disposition"]
        assert (
            answer.status_code == 200
            and disposition.startswith("attachment")
            and disposition.count(";") == 1
            and '"' not in disposition
        )
        assert "sandbox" in answer.headers["content-security-policy"]


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name)
