"""Attacks by the number of `checks/attacks.md`: files that come in, and files that are fetched back."""

from __future__ import annotations

import gzip
import io
import json
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient

from metier.workbench import apart
from metier.workbench.workbench import Workbench
from tests.support.bench import client_of, opened, sign_up
from tests.support.server import started

GOOD = b'{"instruction": "Is it?", "input": "", "output": "It is."}\n'
MEGABYTE = 1_000_000


@pytest.fixture
def li(client: TestClient) -> TestClient:
    sign_up(client)
    return client


def send(client: TestClient, name: str, content: bytes = GOOD) -> httpx.Response:
    return client.post("/api/v1/uploads", params={"name": quote(name, safe="")}, content=content)


def register(client: TestClient, name: str, content: bytes = GOOD, **more: object) -> httpx.Response:
    upload = send(client, name, content).json()["id"]
    return client.post("/api/v1/datasets", json={"upload": upload, "name": "set", **more})


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


NAMES = (
    "../../x",
    "..\\..\\x",
    "/etc/x",
    "C:\\x",
    "\\\\host\\x",
    "x\0.pdf",
    "%2e%2e%2f",
    "\u202efdp.exe",
    "CON",
    "",
    ".",
)


def test_attack_29_a_name_never_becomes_a_path(li: TestClient, workbench: Workbench, tmp_path: Path) -> None:
    for name in (*NAMES, *(f"{name}.jsonl" for name in NAMES), "x" * 5000 + ".jsonl"):
        before = files(tmp_path)
        answer = send(li, name)
        new = {Path(path) for path in files(tmp_path) - before if not path.startswith("bench/metier.db")}
        if answer.status_code != 201:
            assert (answer.status_code, new) == (422, set()), name
            continue
        assert {path.name for path in new} == {"file.jsonl", "upload.json"}, name
        assert all(path.parts[:2] == ("bench", "uploads") for path in new), name
    assert li.get("/datasets", headers={"Accept": "text/html"}).status_code == 200


def test_attack_29_a_hostile_name_is_only_text(li: TestClient) -> None:
    send(li, "<img src=x onerror=alert(1)>.jsonl")
    page = li.get("/datasets", headers={"Accept": "text/html"}).text
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;.jsonl" in page


def test_attack_30_only_the_sets_own_file_is_given_out(li: TestClient, workbench: Workbench, tmp_path: Path) -> None:
    made = register(li, "a.jsonl").json()
    for name in ("..%252f..%252fsecret", "....//secret", "..%2f..%2fsecret", f"{made['id']}-evil", "%00"):
        assert li.get(f"/api/v1/datasets/{name}/file").status_code == 404, name
    outside = tmp_path / "outside.jsonl"
    outside.write_bytes(b"outside")
    file = workbench.settings.datasets / made["id"] / "file.jsonl"
    file.unlink()
    file.symlink_to(outside)
    assert li.get("/api/v1/datasets/set/file").status_code == 404


def test_attack_31_archives_are_refused_whole(li: TestClient, tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for entry in ("../../evil", "/tmp/evil-metier", "a", "A"):  # noqa: S108 - what an attacker would write
            archive.writestr(entry, "evil")
    before = files(tmp_path)
    for name in ("a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.7z"):
        assert send(li, name, content.getvalue()).status_code == 422, name
    assert {one for one in files(tmp_path) - before if "metier.db" not in one} == set()
    assert register(li, "a.xlsx", content.getvalue()).status_code == 422  # a kind that is taken, and is no workbook
    assert not Path("/tmp/evil-metier").exists()  # noqa: S108
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.slow
def test_attack_32_a_bomb_bursts_in_a_child_with_a_limit(li: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "MEMORY_BYTES", 1 << 30)
    lines = gzip.compress(b"\n" * (64 << 20), 1)
    assert len(lines) < MEGABYTE
    for content in (lines * 32, gzip.compress(bytes(64 << 20), 1) * 2):  # 2 GiB of lines, and one line of 128 MiB
        started = time.monotonic()
        answer = register(li, "a.jsonl.gz", content)
        assert answer.status_code == 422, answer.text
        assert time.monotonic() - started < 60
    book = io.BytesIO()
    with (
        zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet,
    ):
        for _ in range(17):
            sheet.write(bytes(64 << 20))
    assert register(li, "a.xlsx", book.getvalue()).status_code == 422
    packed = li.post("/api/v1/uploads?name=a.jsonl", content=gzip.compress(GOOD), headers={"Content-Encoding": "gzip"})
    assert packed.status_code == 415
    assert register(li, "a.jsonl").status_code == 201


def test_attack_33_a_body_without_end_is_cut_at_the_limit(tmp_path: Path) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 100 * MEGABYTE:
            sent += 50_000
            yield bytes(50_000)

    with opened(tmp_path / "small", upload_bytes=MEGABYTE) as workbench, client_of(workbench) as client:
        sign_up(client)
        assert client.post("/api/v1/uploads?name=a.jsonl", content=endless()).status_code == 413
        assert [path for path in workbench.settings.uploads.rglob("*") if path.is_file()] == []
        fields = "&".join(f"f{number}=" for number in range(150_000))
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/sign-in", content=fields, headers=form).status_code in (400, 413, 422)


def test_attack_33_who_sends_slowly_or_promises_much_disturbs_nobody(tmp_path: Path) -> None:
    # A server in a process of its own, as users have it: a test's process pauses under all that other tests left there.
    with started(tmp_path / "home") as server:
        place = urlsplit(server.address)
        address = (str(place.hostname), int(place.port or 0))
        head = f"POST /api/v1/uploads?name=a.jsonl HTTP/1.1\r\nHost: {place.netloc}\r\n"
        with socket.create_connection(address, timeout=10) as large:
            large.sendall(f"{head}Content-Length: {100 * 10**9}\r\n\r\n".encode())
            assert b" 413 " in large.recv(100)
        slow = [socket.create_connection(address, timeout=10) for _ in range(40)]
        for one in slow:
            one.sendall(f"{head}Content-Length: 1000000\r\n\r\n{{".encode())
        times = []
        with httpx.Client(base_url=server.address) as other:
            for _ in range(50):
                started_at = time.monotonic()
                assert other.get("/healthz").status_code == 200
                times.append(time.monotonic() - started_at)
        for one in slow:
            one.close()
    assert max(times) < 1.0


def test_attack_34_what_is_fetched_back_cannot_run(li: TestClient) -> None:
    for name in ("a.html", "a.svg", "a.xhtml", "a.xml", "a.mht"):
        assert send(li, name, b"<script>alert(1)</script>").status_code == 422
    content = b"instruction,input,output\n<script>alert(1)</script>,,<svg onload=alert(1)>\n"
    assert register(li, "a.csv", content).status_code == 201
    back = li.get("/api/v1/datasets/set/file")
    assert back.content == content
    assert back.headers["content-disposition"].startswith("attachment")
    assert back.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in back.headers["content-security-policy"]
    assert back.headers["content-type"] == "application/octet-stream"
    part = li.get("/api/v1/datasets/set/file", headers={"Range": "bytes=0-4"})
    assert (part.status_code, part.content) == (206, b"instr")
    for address in ("/datasets/set", "/datasets/set?row=1", "/datasets/set?tab=about"):
        assert "<script>alert" not in li.get(address, headers={"Accept": "text/html"}).text


BAD_LINES = {
    "deep": b'{"instruction": ' + b"[" * 100_000 + b"]" * 100_000 + b', "input": "", "output": "x"}',
    "infinite": b'{"instruction": 1e999, "input": "", "output": "x"}',
    "not a number": b'{"instruction": NaN, "input": "", "output": "x"}',
    "surrogate": b'{"instruction": "\\ud800", "input": "", "output": "x"}',
    "nul": b'{"instruction": "a\\u0000", "input": "", "output": "x"}',
    "twice": b'{"instruction": "a", "instruction": "b", "input": "", "output": "x"}',
    "torn": b'{"instruction": "a", "input": ',
}


def test_attack_37_a_bad_line_is_named(li: TestClient) -> None:
    for name, line in BAD_LINES.items():
        answer = register(li, "a.jsonl", GOOD + b"\r\n" + line + b"\n")
        assert answer.status_code == 422, name
        assert "a.jsonl:3" in answer.json()["detail"], name
        assert "row 2" in answer.json()["detail"], name
        assert len(answer.json()["detail"]) < 2000, name


def test_attack_37_an_endless_line_is_refused_and_marks_of_order_are_taken(li: TestClient) -> None:
    answer = register(li, "a.jsonl", b'{"instruction": "' + b"x" * (66 << 20))
    assert answer.status_code == 422
    for number, content in enumerate(
        (b"\xef\xbb\xbf" + GOOD, GOOD.decode().encode("utf-16"), GOOD.replace(b"\n", b"\r\n"))
    ):
        wanted = {"upload": send(li, "a.jsonl", content).json()["id"], "name": f"set-{number}"}
        made = li.post("/api/v1/datasets", json=wanted)
        assert made.status_code == 201, made.text


def test_attack_38_parallel_uploads_stay_below_the_quota(tmp_path: Path) -> None:
    quota = MEGABYTE
    with opened(tmp_path / "small", quota_bytes=quota) as workbench, client_of(workbench) as client:
        sign_up(client)
        cookies = dict(client.cookies)
        statuses: list[int] = []

        def one() -> None:
            answer = client.post("/api/v1/uploads?name=a.jsonl", content=bytes(quota * 6 // 10), cookies=cookies)
            statuses.append(answer.status_code)

        threads = [threading.Thread(target=one) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kept = sum(path.stat().st_size for path in workbench.settings.uploads.rglob("file.*"))
        assert kept <= quota
        assert set(statuses) <= {201, 413}
        assert statuses.count(201) <= 1


def test_attack_39_weights_and_pickles_are_no_datasets(li: TestClient, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    content = f"cposix\nsystem\n(S'touch {canary}'\ntR.".encode()
    assert register(li, "optimizer.jsonl", content).status_code == 422
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    for suffix in (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".npy", ".safetensors"):
        assert send(li, f"rng_state{suffix}", content).status_code == 422, suffix
        (folder / f"pytorch_model{suffix}").write_bytes(content)
    for work in ({"model_name_or_path": str(folder)}, {"adapter_name_or_path": str(folder)}):
        answer = li.post("/api/v1/jobs", json={"kind": "predict", "work": {"dataset": "medical_demo_en_test", **work}})
        assert answer.status_code == 422, answer.text
    assert li.post("/api/v1/jobs", json={"kind": "fetch", "work": {"model": str(folder)}}).status_code == 422
    assert not canary.exists()
