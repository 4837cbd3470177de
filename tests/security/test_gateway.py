"""Hostile requests to the gateway: attacks 25 and 60 to 65."""

from __future__ import annotations

import json
import resource
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from metier.gateway.bounds import Limits
from metier.gateway.catalogue import ModelCard, Served
from metier.gateway.errors import GatewayError, unknown_model
from metier.gateway.routes import gateway_router
from tests.support.gateway import KEY, behind, gateway, in_process
from tests.support.upstream import Upstream, upstream

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def running() -> Iterator[Upstream]:
    with upstream(tokens=3) as one:
        yield one


@pytest.fixture(scope="module")
def client(running: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        gateway({"plain": behind(running.address)}, tmp_path_factory.mktemp("gateway")) as (address, _),
        httpx.Client(base_url=address, headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as opened,
    ):
        yield opened


def ask(client: Any, **more: Any) -> Any:
    content = json.dumps({"model": "plain", "messages": HELLO, **more})  # NaN and all
    return client.post("chat/completions", content=content, headers={"Content-Type": "application/json"})


def refused(response: Any, status: int = 400) -> dict[str, Any]:
    """The error of a refused request, in OpenAI's shape."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    return error  # type: ignore[no-any-return]


WILD: list[dict[str, Any]] = [
    {"n": 10**6},
    {"max_tokens": 10**9},
    {"max_tokens": 0},
    {"max_tokens": 5000},  # more than the context
    {"max_completion_tokens": 10**9},
    {"best_of": 5},
    {"logprobs": True},
    {"top_logprobs": 10**6},
    {"stop": ["a"] * 10**5},
    {"stop": [""]},
    {"stop": ["x" * 10**5]},
    {"messages": HELLO * 10**5},
    {"messages": []},
    {"messages": [{"role": "user"}]},
    {"messages": [{"role": "root", "content": "x"}]},
    {"temperature": float("nan")},
    {"temperature": -1},
    {"temperature": 1e308},
    {"temperature": "hot"},
    {"top_p": 0},
    {"seed": 2**70},
    {"logit_bias": {"50256": 100}},
    {"presence_penalty": 1e308},
    {"model": "x" * 10**5},
    {"tools": [{"type": "function", "function": {"name": "a b"}}]},
    {"tools": [{"type": "function", "function": {"name": "f"}}] * 1000},
]


@pytest.mark.parametrize("wild", WILD, ids=lambda wild: f"{next(iter(wild))}-{str(next(iter(wild.values())))[:12]}")
def test_attack_60_wild_numbers_are_refused_by_name_and_the_engine_stays_up(
    client: httpx.Client, running: Upstream, wild: dict[str, Any]
) -> None:
    before = len(running.asked)
    error = refused(ask(client, **wild))
    assert error["param"] is None or error["param"].partition(".")[0].partition("[")[0] in wild
    assert len(running.asked) == before
    assert ask(client).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 10**6, b"\xff\xfe{}", b'{"model": "\\ud800"}', b"null", b"[]"])
def test_attack_60_what_is_no_request_is_refused(client: httpx.Client, body: bytes) -> None:
    refused(client.post("chat/completions", content=body, headers={"Content-Type": "application/json"}))


def test_attack_60_a_body_without_end_is_cut_off(client: httpx.Client) -> None:
    def without_end() -> Iterator[bytes]:
        while True:
            yield b" " * 65_536

    headers = {"Content-Type": "application/json"}
    with suppress(httpx.WriteError, httpx.ReadError):  # it hangs up before all of it is said
        refused(client.post("chat/completions", content=without_end(), headers=headers), 413)
    assert ask(client).status_code == 200


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^(a+)+$"},
        {"$ref": "#"},
        {"$ref": "file:///etc/passwd"},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"enum": ["x" * 10**6]},
        nested(400),
        {"patternProperties": {"(x+x+)+y": {}}},
    ],
    ids=["pattern", "itself", "file", "circle", "large", "deep", "pattern-properties"],
)
def test_attack_61_a_schema_that_could_hold_up_an_engine_is_refused(
    client: httpx.Client, running: Upstream, schema: dict[str, Any]
) -> None:
    before = len(running.asked)
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    assert refused(ask(client, response_format=wanted))["param"] in ("response_format", None)
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    refused(ask(client, tools=[tool]))
    assert len(running.asked) == before


@pytest.mark.slow
def test_attack_61_ten_thousand_schemas_are_not_compiled(client: httpx.Client, running: Upstream) -> None:
    before, statuses = len(running.asked), []
    for number in range(260):
        schema = {"type": "object", "properties": {f"p{number}": {"type": "string"}}}
        wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
        statuses.append(ask(client, response_format=wanted).status_code)
    assert statuses[0] == 200
    assert statuses[-1] == 400
    assert len(running.asked) - before <= 200


@pytest.mark.parametrize(
    "extra",
    [
        {"prompt_embeds": "AAAA"},
        {"chat_template": "{{ cycler.__init__.__globals__ }}"},
        {"chat_template_kwargs": {"enable_thinking": False}},
        {"guided_regex": "(a+)+"},
        {"add_generation_prompt": False},
        {"extra_body": {}},
        {"documents": []},
    ],
    ids=lambda extra: next(iter(extra)),
)
def test_attack_62_what_is_not_known_is_refused(client: httpx.Client, extra: dict[str, Any]) -> None:
    error = refused(ask(client, **extra))
    assert (error["code"], error["param"]) == ("unknown_parameter", next(iter(extra)))


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "file:///etc/passwd", "data:text/html;base64,AAAA", "x"])
def test_attack_49_a_picture_is_never_fetched(client: httpx.Client, running: Upstream, url: str) -> None:
    before = len(running.asked)
    parts = [{"type": "image_url", "image_url": {"url": url}}]
    refused(ask(client, messages=[{"role": "user", "content": parts}]))
    assert len(running.asked) == before


def test_attack_62_another_type_of_body_is_refused(client: httpx.Client) -> None:
    content = json.dumps({"model": "plain", "messages": HELLO})
    refused(client.post("chat/completions", content=content, headers={"Content-Type": "text/plain"}), 415)
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    refused(client.post("chat/completions", content=content, headers=packed), 415)


def test_attack_03_without_the_right_key_nothing_is_told(client: httpx.Client) -> None:
    for value in ("", "Bearer", "Bearer ' OR 1=1 --", f"Bearer {KEY}x", f"Basic {KEY}", "Bearer \xff"):
        headers = {"Authorization": value.encode("latin-1")}
        for response in (client.get("models", headers=headers), client.get("models/plain", headers=headers)):
            assert refused(response, 401)["code"] == "invalid_api_key"
        asked = client.post("chat/completions", json={"model": "plain", "messages": HELLO}, headers=headers)
        refused(asked, 401)


def streams(address: str, count: int) -> list[HTTPResponse]:
    """Answers that are open."""
    host = httpx.URL(address)
    found = []
    for _ in range(count):
        connection = HTTPConnection(host.host, host.port or 80, timeout=20)
        body = json.dumps({"model": "plain", "messages": HELLO, "stream": True, "max_tokens": 4000})
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", body, headers)
        found.append(connection.getresponse())
        found[-1].connection = connection  # type: ignore[attr-defined]
    return found


def hang_up(response: HTTPResponse) -> None:
    response.close()
    response.connection.close()  # type: ignore[attr-defined]


def hang_up_and_check(running: Upstream, opened: Sequence[HTTPResponse]) -> None:
    """Hangs all of them up: none is written on."""
    left = time.monotonic()
    for one in opened:
        hang_up(one)
    while running.open and time.monotonic() < left + 5:
        time.sleep(0.02)
    assert running.open == 0
    assert max(running.cut) - left < 2


def test_attack_63_one_caller_has_so_many_answers_and_hanging_up_stops_them(tmp_path: Path) -> None:
    with (
        upstream(tokens=4000, pace=20) as running,
        gateway({"plain": behind(running.address)}, tmp_path, limits=Limits(streams=5)) as (address, _),
    ):
        opened = streams(address, 5)
        more = streams(address, 20)
        assert {one.status for one in opened} == {200}
        assert {one.status for one in more} == {429}
        assert more[0].headers["retry-after"]
        assert running.open == 5
        hang_up_and_check(running, opened)
        again = streams(address, 1)[0]
        assert again.status == 200
        for one in (again, *more):
            hang_up(one)


@pytest.mark.long
def test_attack_63_of_a_thousand_streams_by_one_caller_the_limit_is_open_and_all_end_when_they_hang_up(
    tmp_path: Path,
) -> None:
    most = Limits().streams
    with (
        many_files(4096),
        upstream(tokens=4000, pace=10) as running,
        gateway({"plain": behind(running.address)}, tmp_path) as (address, _),
    ):
        opened = streams(address, 1000)
        assert Counter(one.status for one in opened) == {200: most, 429: 1000 - most}
        assert running.open == most
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {KEY}"}) as beside:
            assert beside.get("models").status_code == 200
        hang_up_and_check(running, opened)
        again = streams(address, 1)[0]
        assert again.status == 200
        hang_up(again)


@contextmanager
def many_files(count: int) -> Iterator[None]:
    """Lets this process have so many files and connections open at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_attack_63_hanging_up_before_the_first_word_stops_it_too(tmp_path: Path) -> None:
    with (
        upstream(tokens=4000, pace=0.05) as running,
        gateway({"plain": behind(running.address)}, tmp_path) as (address, catalogue),
    ):
        threads = [threading.Thread(target=_give_up, args=(address, stream)) for stream in (True, False)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        deadline = time.monotonic() + 2
        while _held(catalogue) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not _held(catalogue)
        assert len(running.asked) == 2


def _give_up(address: str, stream: bool) -> None:
    asked = {"model": "plain", "messages": HELLO, "stream": stream, "max_tokens": 4000}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{address}/chat/completions", json=asked, headers={"Authorization": f"Bearer {KEY}"}, timeout=1)


def _held(catalogue: Any) -> int:
    return sum(place.users for place in catalogue.shelf._places.values())


@pytest.mark.slow
def test_attack_64_a_broken_request_beside_it_changes_no_byte_of_a_stream(tmp_path: Path, talking_model: Path) -> None:
    with (
        gateway({"plain": in_process(talking_model)}, tmp_path) as (address, _),
        httpx.Client(base_url=address, headers={"Authorization": f"Bearer {KEY}"}, timeout=60) as client,
    ):
        alone = said(client)
        ended = threading.Event()

        def disturb() -> None:
            while not ended.is_set():
                for wild in (
                    WILD[0],
                    {"messages": HELLO * 3000},
                    {"messages": [{"role": "user", "content": "x" * 20_000}]},
                ):
                    ask(client, **wild)

        thread = threading.Thread(target=disturb)
        thread.start()
        beside = said(client)
        ended.set()
        thread.join()
    assert len(alone) > 100
    assert beside == alone


def said(client: httpx.Client) -> str:
    """The text of a streamed answer, as it came."""
    asked = {"model": "plain", "messages": HELLO, "stream": True, "temperature": 0, "max_tokens": 150, "seed": 1}
    with client.stream("POST", "chat/completions", json=asked) as response:
        lines = [line[6:] for line in response.iter_lines() if line.startswith("data: {")]
    return "".join(json.loads(line)["choices"][0]["delta"].get("content") or "" for line in lines)


class Tenants:
    """A catalogue of two callers, each with one name; one of them breaks."""

    names: ClassVar = {"key-of-a": "adapter-of-a", "key-of-b": "broken-of-b"}
    problem: BaseException = RuntimeError("/srv/secret/model.bin at 0x7f00 SELECT * FROM users sk-12345")

    async def caller(self, key: str) -> str:
        if key not in self.names:
            raise GatewayError("gateway.wrong_key", status=401)
        return key

    async def cards(self, caller: str) -> Sequence[ModelCard]:
        return [ModelCard(self.names[caller], 0)]

    @asynccontextmanager
    async def open(self, caller: str, name: str) -> AsyncIterator[Served]:
        if name != self.names[caller]:
            raise unknown_model(name)
        raise self.problem
        yield

    embedder = open


def test_attack_25_the_name_of_anothers_model_is_no_name() -> None:
    app = FastAPI()
    app.include_router(gateway_router(Tenants()))  # type: ignore[arg-type]
    with closing(TestClient(app, base_url="http://localhost/v1/")) as client:
        client.headers["Authorization"] = "Bearer key-of-b"
        assert [one["id"] for one in client.get("models").json()["data"]] == ["broken-of-b"]
        for path, more in (
            ("chat/completions", {"messages": HELLO}),
            ("completions", {"prompt": "x"}),
            ("embeddings", {"input": "x"}),
        ):
            theirs = refused(client.post(path, json={"model": "adapter-of-a", **more}), 404)
            nobodys = refused(client.post(path, json={"model": "adapter-of-x", **more}), 404)
            assert theirs["message"].replace("of-a", "of-x") == nobodys["message"]
        refused(client.get("models/adapter-of-a"), 404)


def test_attack_65_errors_tell_nothing_of_the_inside(client: httpx.Client, tmp_path: Path) -> None:
    app = FastAPI()
    app.include_router(gateway_router(Tenants()))  # type: ignore[arg-type]
    with closing(TestClient(app, base_url="http://localhost/v1/")) as inside:
        inside.headers["Authorization"] = "Bearer key-of-b"
        answer = inside.post("chat/completions", json={"model": "broken-of-b", "messages": HELLO})
        refused(answer, 500)
        assert answer.headers["x-request-id"].startswith("req_")
        assert not any(word in answer.text for word in ("secret", "0x7f", "SELECT", "sk-", "Traceback", "RuntimeError"))
    problem = "Traceback /srv/model.bin at 0x7f00 key sk-12345"
    for script, status in (
        ({"status": 500, "error": problem}, 502),
        ({"status": 400, "error": problem}, 502),
        ({"status": 401, "error": problem}, 502),
        ({"status": 503, "error": problem}, 503),
    ):
        with (
            upstream(**script) as running,
            gateway({"plain": behind(running.address)}, tmp_path) as (address, _),
            httpx.Client(base_url=address, headers={"Authorization": f"Bearer {KEY}"}) as outside,
        ):
            answer = ask(outside)
            refused(answer, status)
            assert not any(word in answer.text for word in ("srv", "0x7f", "sk-", "Traceback", "127.0.0.1"))


def test_attack_73_usage_that_a_client_forges_is_refused_or_changes_no_count(client: httpx.Client) -> None:
    forged = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    for name in ("usage", "completion_tokens", "metier"):
        assert refused(ask(client, **{name: forged}))["param"] == name
    before = {"role": "assistant", "content": "Hi", "usage": forged, "metier": {"usage": forged}}
    said = [*HELLO, before, *HELLO]
    assert ask(client, messages=said).json()["usage"] == {
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "total_tokens": 10,
    }


@pytest.mark.slow
def test_attack_73_a_client_that_never_reads_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metier.gateway.replying._UNREAD_SECONDS", 0.5)
    long = "x" * 20_000
    with (
        upstream(tokens=4000, words=lambda _index: long) as running,
        gateway({"plain": behind(running.address)}, tmp_path) as (address, catalogue),
    ):
        unread = streams(address, 1)[0]
        assert unread.status == 200
        deadline = time.monotonic() + 10
        while (running.open or _held(catalogue)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert running.cut and not running.open and not _held(catalogue)
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {KEY}"}, timeout=20) as beside:
            assert ask(beside, max_tokens=2).status_code == 200
        hang_up(unread)
