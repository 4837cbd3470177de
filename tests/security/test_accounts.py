"""Attacks on sign-up, sign-in, cookies and keys: 2 to 17, 19, 27."""

from __future__ import annotations

import base64
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from metier.api import stream
from metier.workbench import following
from metier.workbench.accounts import Person
from metier.workbench.store.tables import Lease, User
from metier.workbench.workbench import Workbench
from tests.support import bench
from tests.support.bench import PASSWORD, sign_up


@pytest.fixture
def li(owner: Person, served: str) -> Iterator[httpx.Client]:
    """The first account's browser, on a real server."""
    with httpx.Client(base_url=served, timeout=20) as client:
        assert client.post("/api/v1/session", json={"name": "li", "password": PASSWORD}).status_code == 200
        yield client


def raw(site: str, request: bytes) -> bytes:
    """What the server answers to bytes that no client would send."""
    parts = urlsplit(site)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=20) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(65_536)
        except OSError:
            return b""  # it hung up


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/") else 0


@pytest.mark.parametrize(
    "host",
    ["x/healthz?", "evil#", "evil.example", "127.0.0.1@evil", "localhost:80@evil", "", "a b", "[::1", "127.0.0.1\\x"],
)  # fmt: skip
def test_attack_02_a_host_of_another_name_is_refused(served: str, owner: Person, host: str) -> None:
    request = f"GET /api/v1/me HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    assert status(raw(served, request)) == 400


def test_attack_02_an_address_in_full_goes_past_no_check(served: str, owner: Person) -> None:
    port = urlsplit(served).port
    for target in (
        f"http://127.0.0.1:{port}/api/v1/me",
        "http://evil.example/api/v1/me",
        "//evil/api/v1/me",
        "/api/v1/me#",
    ):
        request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
        assert status(raw(served, request)) in (400, 401, 404), target


@pytest.mark.parametrize(
    "given", [b"Bearer ' OR 1=1 --", b"Bearer " + b"a" * 1_000_000, b"Bearer \xff\xfe\xe9", b"Bearer mk-\x00",
              b"Basic eDp5", b"Bearer", b"Bearer mk-" + b"x" * 300, b"bearer\tmk-x"],
)  # fmt: skip
def test_attack_03_a_hostile_key_is_no_key(
    served: str, owner: Person, given: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    answer = raw(
        served,
        b"GET /api/v1/me HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: " + given + b"\r\nConnection: close\r\n\r\n",
    )
    assert status(answer) in (0, 400, 401, 431)
    assert "SELECT" not in caplog.text


def test_attack_04_a_signed_token_of_anybody_is_worth_nothing(served: str, owner: Person) -> None:
    """There are no signed tokens: what is not a known random one is nothing, whatever it says of itself."""
    said = (
        base64.urlsafe_b64encode(b'{"alg":"none"}').decode() + "." + base64.urlsafe_b64encode(b'{"sub":"li"}').decode()
    )
    for token in (said + ".", "mk-" + said, owner.id, "li"):
        assert httpx.get(f"{served}/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
        assert httpx.get(f"{served}/api/v1/me", headers={"Cookie": f"metier={token}"}).status_code == 401


def test_attack_05_where_the_store_does_not_answer_nobody_is_let_in(
    li: httpx.Client, workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("SELECT secret", None, RuntimeError("down"))

    workbench.accounts._forget()
    with monkeypatch.context() as patched:
        patched.setattr(workbench.database, "read", away)
        answer = li.get("/api/v1/me")
        assert (answer.status_code, "SELECT" in answer.text) == (503, False)
        assert li.get("/", headers={"Accept": "text/html"}).status_code == 503
        by_key = {"Authorization": "Bearer mk-x"}
        assert httpx.get(f"{li.base_url}/api/v1/me", headers=by_key).status_code == 503


def test_attack_06_fifty_sign_ups_at_once_make_one_admin(served: str, workbench: Workbench) -> None:
    codes: list[int] = []

    def ask(number: int) -> None:
        body = {"name": f"user{number}", "password": PASSWORD}
        codes.append(httpx.post(f"{served}/api/v1/accounts", json=body, timeout=60).status_code)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [201] + [403] * 49
    with workbench.database.read() as session:
        assert [user.role for user in session.query(User)] == ["admin"]


def test_attack_07_nobody_gives_themselves_rights(li: httpx.Client, workbench: Workbench, owner: Person) -> None:
    wang = bench.member(workbench, owner, "wang")
    with httpx.Client(base_url=li.base_url) as client:
        client.post("/api/v1/session", json={"name": "wang", "password": PASSWORD})
        for more in (
            {"role": "admin"},
            {"balance": 1e9},
            {"is_active": True},
            {"id": owner.id},
            {"owner_id": owner.id},
        ):
            assert client.patch("/api/v1/me", json={"language": "en", **more}).status_code == 422
            body = {"name": "zhao", "password": PASSWORD, **more}
            assert client.post("/api/v1/accounts", json=body).status_code == 422
            client.post("/settings/account", data={"name": "wang", **{key: str(value) for key, value in more.items()}})
        assert client.patch(f"/api/v1/users/{wang.id}", json={"role": "admin"}).status_code == 403
        assert client.get("/api/v1/me").json()["role"] == "member"
    with workbench.database.read() as session:
        assert sorted((user.name, user.role) for user in session.query(User)) == [("li", "admin"), ("wang", "member")]


def test_attack_08_a_wrong_name_and_a_wrong_password_look_alike(served: str, owner: Person) -> None:
    answers: dict[str, list[tuple[int, str, float]]] = {"li": [], "nobody": []}
    for _ in range(5):
        for name, found in answers.items():
            began = time.perf_counter()
            answer = httpx.post(f"{served}/api/v1/session", json={"name": name, "password": "not the password"})
            found.append((answer.status_code, answer.text, time.perf_counter() - began))
    assert len({(code, text) for found in answers.values() for code, text, _ in found}) == 1
    known, unknown = (statistics.median(one[2] for one in found) for found in answers.values())
    assert max(known, unknown) < 4 * min(known, unknown) + 0.05


def test_attack_09_guesses_have_to_wait_and_the_right_password_works_after(
    served: str, owner: Person, workbench: Workbench
) -> None:
    def ask(password: str, **headers: str) -> httpx.Response:
        body = {"name": "li", "password": password}
        return httpx.post(f"{served}/api/v1/session", json=body, headers=headers)

    codes = [ask(f"guess number {number}").status_code for number in range(15)]
    assert codes == [401] * 10 + [429] * 5
    waiting = ask(PASSWORD, **{"X-Forwarded-For": "9.9.9.9"})  # attack 19: what an untrusted peer says of itself
    assert waiting.status_code == 429
    assert int(waiting.headers["retry-after"]) > 0
    workbench.accounts.guesses.window_seconds = 0.2
    time.sleep(0.3)
    assert ask(PASSWORD).status_code == 200


def test_attack_09_and_19_an_address_cannot_pretend_to_be_many(served: str, owner: Person) -> None:
    codes = []
    for number in range(55):
        body = {"name": f"name{number}", "password": "some password"}
        headers = {"X-Forwarded-For": f"10.0.0.{number}", "X-Forwarded-Host": "evil", "Forwarded": "for=1.2.3.4"}
        codes.append(httpx.post(f"{served}/api/v1/session", json=body, headers=headers).status_code)
    assert codes == [401] * 50 + [429] * 5


def test_attack_10_a_key_counts_only_where_it_belongs(li: httpx.Client, workbench: Workbench, owner: Person) -> None:
    """Keys have no narrower rights than their owner; they are taken from `Authorization` alone."""
    _, key = workbench.accounts.create_key(owner, "script")
    site = str(li.base_url)
    assert httpx.get(f"{site}/api/v1/me", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    for where in ({"x-api-key": key}, {"Cookie": f"metier={key}"}, {"Authorization": f"Token {key}"}):
        assert httpx.get(f"{site}/api/v1/me", headers=where).status_code == 401
    assert httpx.get(f"{site}/api/v1/me", params={"api_key": key, "token": key}).status_code == 401
    wrong = {"Authorization": "Bearer mk-wrong", "Cookie": f"metier={li.cookies['metier']}"}
    assert httpx.get(f"{site}/api/v1/me", headers=wrong).status_code == 401  # a wrong key is not passed over


def test_attack_11_what_was_ended_ends_at_once_and_open_streams_soon(
    li: httpx.Client, workbench: Workbench, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stream._CHECK_SECONDS + following._QUIET_SECONDS <= 60
    monkeypatch.setattr(stream, "_CHECK_SECONDS", 0.3)
    monkeypatch.setattr(following, "_QUIET_SECONDS", 0.5)
    with workbench.database.write() as session:
        session.add(Lease(device="cpu", holder_kind="job", holder_id="x", owner_id=owner.id))  # nothing begins
    site = str(li.base_url)
    job = li.post("/api/v1/jobs", json={"kind": "predict", "work": {"model_name_or_path": "smollm2-135m",
                                                                    "dataset": "medical_demo_en"}}).json()  # fmt: skip
    row, key = workbench.accounts.create_key(owner, "script")
    by_key = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=site, timeout=20) as other:
        other.post("/api/v1/session", json={"name": "li", "password": PASSWORD})
        with other.stream("GET", f"/api/v1/jobs/{job['id']}/events") as events:
            lines = events.iter_lines()
            assert any(line.startswith("event: state") for line in lines)
            changed = li.post("/api/v1/me/password", json={"old": PASSWORD, "new": "another good password"})
            assert changed.status_code == 204
            assert other.get("/api/v1/me").status_code == 401
            began = time.monotonic()
            assert any(line == "event: gone" for line in lines)
            assert time.monotonic() - began < 15
    assert li.get("/api/v1/me").status_code == 200  # the one that changed it stays
    assert httpx.get(f"{site}/api/v1/me", headers=by_key).status_code == 200
    li.delete(f"/api/v1/me/keys/{row.id}")
    assert httpx.get(f"{site}/api/v1/me", headers=by_key).status_code == 401
    token = li.cookies["metier"]
    assert li.delete("/api/v1/session").status_code == 204
    assert httpx.get(f"{site}/api/v1/me", headers={"Cookie": f"metier={token}"}).status_code == 401


def test_attack_12_a_cookie_is_for_this_server_alone_and_new_at_each_sign_in(tmp_path: Path) -> None:
    with bench.opened(tmp_path / "https", https=True) as workbench, bench.client_of(workbench) as client:
        fixed = "fixed-by-an-attacker"
        client.cookies.set("metier", fixed)
        made = client.post("/api/v1/accounts", json={"name": "li", "password": PASSWORD})
        given = made.headers["set-cookie"].lower()
        assert all(word in given for word in ("httponly", "samesite=lax", "secure", "path=/"))
        assert fixed not in given
        again = client.post("/sign-in", data={"name": "li", "password": PASSWORD})
        assert again.headers["set-cookie"].split(";")[0].lower() != given.split(";")[0]
        token = again.headers["set-cookie"].split("=")[1].split(";")[0]
        assert token not in again.headers["location"] and token not in made.text


@pytest.mark.parametrize(
    "next", ["//evil", "/\\evil", "https:evil", "%2f%2fevil", "javascript:alert(1)", "http://evil", "/\t/evil",
             "///evil", "\\\\evil", "/%09/evil", "evil", "/\r\nSet-Cookie: a=b", "@evil"],
)  # fmt: skip
def test_attack_13_nobody_is_sent_elsewhere(client: TestClient, next: str) -> None:
    sign_up(client)
    answers = [
        client.get("/sign-in", params={"next": next}),
        client.post("/language", data={"to": "en", "next": next}),
        client.post("/theme", data={"to": "dark", "next": next}),
        client.post("/sign-in", data={"name": "li", "password": PASSWORD, "next": next}),
    ]
    for answer in answers:
        address = answer.headers["location"]
        assert answer.status_code == 303
        assert address.startswith("/") and not address.startswith(("//", "/\\")), address
        assert urlsplit(address).netloc == "" and "set-cookie: a=b" not in str(answer.headers).lower()


@pytest.mark.parametrize("secret", ["", "short", "default"])
def test_attack_14_without_a_secret_it_does_not_listen_to_the_world(tmp_path: Path, secret: str) -> None:
    command = [sys.executable, "-m", "metier.cli", "up", "--home", str(tmp_path), "--host", "0.0.0.0", "--port", "0"]  # noqa: S104
    done = subprocess.run(
        command, env={"METIER_SECRET": secret, "METIER_LANGUAGE": "en"}, capture_output=True, timeout=120
    )
    assert done.returncode != 0
    assert b"METIER_SECRET" in done.stderr


def test_attack_15_a_foreign_page_cannot_send_a_form_or_text(li: httpx.Client) -> None:
    site = str(li.base_url).rstrip("/")
    body = b'{"name": "stolen"}'
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        for kind in ("text/plain", "application/json", "application/x-www-form-urlencoded"):
            answer = li.post("/api/v1/me/keys", content=body, headers={"Content-Type": kind, **headers})
            assert answer.status_code in (403, 415), (headers, kind)
        assert li.post("/settings/keys", data={"name": "stolen"}, headers=headers).status_code == 403
    same = li.post("/api/v1/me/keys", content=body, headers={"Content-Type": "text/plain", "Origin": site})
    assert same.status_code in (415, 422)
    assert li.get("/api/v1/me/keys").json() == []


@pytest.mark.parametrize(
    "origin", ["null", "https://good.evil.com", "http://localhost", "http://127.0.0.1.evil.com", "*"]
)
def test_attack_16_and_17_no_other_origin_may_read_or_follow(li: httpx.Client, origin: str) -> None:
    for method in ("GET", "OPTIONS", "HEAD"):
        answer = li.request(method, "/api/v1/me", headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    follow = {"Origin": origin, "Accept": "text/event-stream"}
    assert li.get("/api/v1/jobs/0123456789abcdef/events", headers=follow).status_code == 403
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": origin}  # fmt: skip
    assert li.get("/", headers=upgrade).status_code != 101


def test_attack_27_keys_and_invitations_are_long_random_and_not_derived(workbench: Workbench, owner: Person) -> None:
    made = [workbench.accounts.create_key(owner, "a") for _ in range(20)]
    tokens = [text.removeprefix("mk-") for _, text in made] + [workbench.accounts.invite(owner) for _ in range(20)]
    tokens += [workbench.accounts.sign_in_as(owner) for _ in range(5)]
    assert len(set(tokens)) == len(tokens)
    for token in tokens:
        assert len(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))) >= 16
    assert all(row.digest != text and row.id not in text and text not in row.digest for row, text in made)
    starts = {token[:4] for token in tokens}
    assert len(starts) > len(tokens) - 3  # no common beginning, as those made of times have
