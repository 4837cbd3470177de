"""Word of an ended job: a real webhook and a real mail server get it (attacks 49 and 50: the server's own network does
not, whatever a name or redirect leads to, since each connection of the sending process is looked at).
"""

from __future__ import annotations

import json
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import ConfigError
from metier.workbench.accounts import Person
from metier.workbench.errors import ConflictError
from metier.workbench.notifications import _child
from metier.workbench.notify_address import check_address, shown
from metier.workbench.settings import WorkbenchSettings
from metier.workbench.store.tables import Job, Secret, now
from metier.workbench.workbench import Workbench
from tests.support.bench import PASSWORD, opened, wait_for

pytestmark = pytest.mark.slow

HOSTILE = (
    "http://127.0.0.1/x", "https://[::1]/x", "json://[::ffff:127.0.0.1]/x", "http://169.254.169.254/latest",
    "jsons://10.1.2.3", "http://0.0.0.0", "http://2130706433", "http://0x7f.1", "http://evil@127.0.0.1",
    "http://127.0.0.1\\@ok.com", "http://localhost:8710", "http://db.internal/x", "mailto://a:b@x.com?smtp=127.0.0.1",
    "http://100.64.0.1", "http://[fd00::1]/",
)  # fmt: skip
NOT_TAKEN = (
    "file:///etc/passwd", "gopher://x.com", "\\\\host\\share", "exec://touch/x", "dbus://", "syslog://",
    "windows://", "macosx://", "json://ok.com,file:///etc/passwd json://x.com", "https://ok.com/?template=/etc/passwd",
    "", "nonsense", "json://", "https://ok.com/" + "x" * 600, "a\nb",
)  # fmt: skip


@pytest.mark.parametrize("address", HOSTILE)
def test_addresses_of_the_servers_own_network_are_refused(address: str) -> None:
    with pytest.raises(ConfigError):
        check_address(address, local=False)


@pytest.mark.parametrize("address", NOT_TAKEN)
def test_what_reads_files_or_starts_programs_is_refused_even_where_local_ones_are_allowed(address: str) -> None:
    with pytest.raises(ConfigError):
        check_address(address, local=True)


def test_what_is_shown_of_an_address_holds_no_secret() -> None:
    assert shown("mailtos://li:password@example.com?to=a@b.com") == "mailtos://example.com/…"
    assert shown("https://hooks.slack.com/services/T1/B1/secret") == "https://hooks.slack.com/…"
    assert shown("tgram://123:token/chat") == "tgram://…"


def test_a_connection_that_ends_up_inside_is_refused_however_the_name_resolved() -> None:
    with web_hook() as (port, got):
        # The check by looks is passed over, as a name that resolves to this machine would: the child refuses by itself.
        outcome = _child(f"json://127.0.0.1:{port}/x", local=False, title="t", body="b")
    assert (outcome, got) == ("refused", [])


def test_a_webhook_gets_word_in_the_owners_language_and_nothing_is_kept_in_plain(tmp_path: Path) -> None:
    with web_hook() as (port, got), opened(tmp_path / "bench", notify_local=True, address="https://m.example") as bench:
        owner = bench.accounts.sign_up("li", PASSWORD, language="zh")
        bench.notifications.put(owner, f"json://li:password@127.0.0.1:{port}/canary")
        bench.notifications.test(owner)
        bench.notifications.job_ended(ended(owner, "done"))
        failed = ended(owner, "failed", reason={"key": "workbench.reason_disk", "fields": {}})
        bench.notifications.job_ended(failed)
        bench.notifications.job_ended(ended(owner, "done", notify="none"))
        bench.notifications.job_ended(ended(owner, "cancelled"))
        wait_for(lambda: len(got) == 3)
        with bench.database.read() as session:
            assert "canary" not in session.query(Secret).one().sealed
        assert bench.secrets.names(owner) == []
        assert bench.notifications.get(owner) is not None
    titles = [message["title"] for message in got]
    assert titles == ["Métier can reach you", "已完成：标题 一", "失败：标题 一"]
    assert "磁盘已满" in got[2]["message"]
    assert "https://m.example/runs/0123456789abcdef" in got[1]["message"]


@pytest.mark.parametrize(
    ("values", "site"),
    [
        ({}, "http://127.0.0.1:8710"),
        ({"host": "::1", "port": 80}, "http://[::1]:80"),
        ({"host": "0.0.0.0", "hosts": ("lab.example",), "https": True}, "https://lab.example:8710"),  # noqa: S104
        ({"host": "0.0.0.0"}, f"http://{socket.gethostname()}:8710"),  # noqa: S104
        ({"address": "https://lab.example/"}, "https://lab.example"),
    ],
)
def test_links_in_messages_begin_with_an_address_that_people_reach(
    tmp_path: Path, values: dict[str, Any], site: str
) -> None:
    assert WorkbenchSettings(tmp_path, **values).site == site


def test_a_mail_server_gets_word(tmp_path: Path) -> None:
    with mail_server() as (port, mails), opened(tmp_path / "bench", notify_local=True) as bench:
        owner = bench.accounts.sign_up("li", PASSWORD, language="en")
        sealed = bench.notifications.keep_for_job(f"mailto://127.0.0.1:{port}?from=m@example.com&to=li@example.com")
        assert "example.com" not in sealed
        assert bench.notifications.keep_for_job(sealed) == sealed  # of a job that is copied
        bench.notifications.job_ended(ended(owner, "done", notify=sealed))
        wait_for(lambda: mails)
    assert "li@example.com" in mails[0]
    assert "Done" in mails[0]


def test_one_that_does_not_answer_is_told_and_delays_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metier.workbench.notifications._PAUSES", (0.1,))
    with socket.socket() as closed, opened(tmp_path / "bench", notify_local=True) as bench:
        closed.bind(("127.0.0.1", 0))
        owner = bench.accounts.sign_up("li", PASSWORD)
        bench.notifications.put(owner, f"json://127.0.0.1:{closed.getsockname()[1]}/x")
        with pytest.raises(ConflictError, match="did not arrive"):
            bench.notifications.test(owner)
        began = now()
        bench.notifications.job_ended(ended(owner, "done"))
        assert (now() - began).total_seconds() < 0.5


def test_the_queue_tells_of_a_job_that_could_not_start(
    workbench: Workbench, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(workbench.notifications, "_waiting", _Told(told))
    kept = workbench.box.seal(json.dumps({"address": "json://example.com", "always": True}))
    with workbench.database.write() as session:
        session.add(Secret(owner_id=owner.id, name="notification", sealed=kept))
        session.add(Job(owner_id=owner.id, kind="prepare", title="a", spec={"asked": {}, "work": {}}))
    monkeypatch.setattr(workbench.backend, "start", _cannot)
    workbench.scheduler.tick()
    assert told == ["Failed: a"]


def _cannot(*_args: Any) -> None:
    raise OSError("no more processes")


class _Told:
    """A queue that keeps the titles of what is put into it."""

    def __init__(self, titles: list[str]) -> None:
        self.titles = titles

    def put_nowait(self, message: tuple[str, str, str, bool]) -> None:
        self.titles.append(message[1])

    def get(self, timeout: float) -> None:
        raise queue.Empty


def ended(owner: Person, state: str, *, notify: str = "", reason: Any = None) -> Job:
    """A job that is over."""
    moment = now()
    return Job(
        id="0123456789abcdef", owner_id=owner.id, kind="train", title="标题\n一", state=state, notify=notify,
        reason=reason, spec={}, created=moment, started=moment, ended=moment,
    )  # fmt: skip


@contextmanager
def web_hook() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """A web server of one address that keeps what it is sent."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, got
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """The least that a mail server is: it takes one mail a connection and keeps it."""
    mails: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                _talk(stream, mails)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], mails
    finally:
        listener.close()


def _talk(stream: Any, mails: list[str]) -> None:
    def say(line: str) -> None:
        stream.write(line.encode() + b"\r\n")
        stream.flush()

    say("220 here")
    while line := stream.readline().decode().strip().upper():
        if line.startswith("DATA"):
            say("354 go on")
            taken = b""
            while not taken.endswith(b"\r\n.\r\n"):
                taken += stream.readline()
            mails.append(taken.decode())
        say("221 bye" if line.startswith("QUIT") else "250 ok")
