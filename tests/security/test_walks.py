"""Attacks that walk over every route, for which the application is asked: a new route is walked over by itself."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.security.routes import Route, all_routes, body_of, readers
from tests.security.world import CANARY, World

pytestmark = pytest.mark.slow

# What answers without a word of who asks. Everything else must not.
OPEN = {
    "GET /healthz", "GET /readyz", "GET /metrics",
    "GET /sign-in", "POST /sign-in", "GET /sign-up", "POST /sign-up", "POST /sign-out", "POST /language", "POST /theme",
    "POST /api/v1/accounts", "POST /api/v1/session",
    "GET /shared/{token}",
}  # fmt: skip

# Addresses whose parameter names nothing that belongs to somebody.
NOBODYS = ("/settings/{section}", "/models/{name}", "/api/v1/models/{name}", "/api/v1/forms/{kind}",
           "/api/v1/recipes/shipped/{name}/{profile}")  # fmt: skip

# What makes something of one's own under a name that another may use too.
ONES_OWN = ("PUT /api/v1/me/secrets/{name}",)

JSON = "application/json"
SECONDS = 15.0  # a route that takes longer to begin its answer hangs


@pytest.fixture
def stranger(world: World) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=world.site, timeout=SECONDS) as client:
        yield client


@pytest.fixture
def member(world: World) -> Iterator[httpx.Client]:
    """B's browser."""
    with world.client("b") as client:
        yield client


def ask(client: httpx.Client, route: Route, address: str, **more: Any) -> httpx.Response:
    """An answer's beginning, or its whole where it ends by itself. Fails with the route's name where none comes."""
    more = {"params": route.asked, **more}
    try:
        with client.stream(more.pop("method", route.method).upper(), address, **more) as answer:
            if "event-stream" in answer.headers.get("content-type", ""):
                return answer
            answer.read()
            return answer
    except httpx.HTTPError as error:
        raise AssertionError(f"{route}: no answer ({error!r}): it hangs, or has ended the server") from error


def test_every_page_and_service_is_walked_over() -> None:
    known = {str(route) for route in all_routes()}
    assert {"GET /", "GET /settings/{section}", "GET /api/v1/jobs/{job_id}", "PUT /api/v1/me/notification"} <= known
    assert len(known) > 60


def test_attack_01_no_route_answers_who_has_not_signed_in(world: World, stranger: httpx.Client) -> None:
    before = world.state()
    for route in all_routes():
        address = re.sub(r"{[^}]*}", world.things["job_id"], route.path)
        if str(route) in OPEN:
            continue
        for method in (route.method, "head", "options", "trace"):
            answer = ask(stranger, route, address, method=method, **(body_of(route) if method == route.method else {}))
            led = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
            assert led or answer.status_code in (401, 404, 405), f"{method} {route}: {answer.status_code}"
    assert world.state() == before


def test_attack_18_every_page_says_what_a_browser_may_do_with_it(world: World) -> None:
    with world.client("a") as client:
        for route in readers():
            if any(name not in ("section",) and f"{name}" not in world.things for name in route.names):
                continue
            answer = ask(client, route, world.address(route))
            policy = answer.headers.get("content-security-policy", "")
            assert "frame-ancestors 'none'" in policy or "sandbox" in policy, str(route)
            scripts = re.search(r"script-src ([^;]*)|default-src ([^;]*)", policy)
            assert scripts is not None, str(route)
            assert "unsafe" not in scripts[0], str(route)
            assert answer.headers.get("x-content-type-options") == "nosniff", str(route)
            assert "referrer-policy" in answer.headers, str(route)
            assert answer.status_code < 500, f"{route}: {answer.status_code}"
            if answer.headers.get("content-type", "").startswith("text/html") and "sandbox" not in policy:
                assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text), str(route)
                assert not re.search(r"<[^>]+\son\w+\s*=|<[^>]+\sstyle\s*=|javascript:", answer.text), str(route)


def test_attack_20_what_is_anothers_is_not_there(world: World, member: httpx.Client) -> None:
    before = world.state()
    walked = 0
    for route in all_routes():
        if not route.names or route.path.startswith(NOBODYS) or str(route) in (*OPEN, *ONES_OWN):
            continue
        answer = ask(member, route, world.address(route), **body_of(route))
        allowed = (403, 404) if "/users/" in route.path or "/invitations/" in route.path else (404,)
        if answer.status_code not in allowed:  # a part of a page may say in words that there is none
            assert route.method == "get", f"{route}: {answer.status_code} {answer.text[:300]}"
            assert is_as_if_there_were_none(world, member, route, answer), f"{route}: {answer.text[:300]}"
        assert CANARY not in answer.text, str(route)
        assert world.state() == before, f"{route}: something of A's has changed"
        walked += 1
    assert walked > 20


def is_as_if_there_were_none(world: World, client: httpx.Client, route: Route, answer: httpx.Response) -> bool:
    """Whether an answer about A's thing is the one about a thing that nobody has."""
    nobodys = World(world.workbench, world.a, world.b, world.site, dict(world.things))
    text = answer.text
    for name in route.names:
        value = world.value(route, name)
        invented = value[::-1] if value.isalnum() else f"x{value}"
        text = text.replace(value, invented)
        nobodys.things |= {key: invented for key, one in world.things.items() if one == value}
    other = ask(client, route, nobodys.address(route))
    return (other.status_code, other.text) == (answer.status_code, text)


def test_attack_21_anothers_id_inside_a_body_gives_nothing(world: World, member: httpx.Client) -> None:
    """Each text of each body is each of A's names and ids."""
    job = world.things["job_id"]
    given = [world.things["datasets name"], world.things["dataset_id"], world.things["upload_id"], f"run:{job}", job,
             f"run:{job}/predict", world.things["chat_id"], world.things["review_id"]]  # fmt: skip
    before = world.state()["rows"]
    for route in all_routes():
        kinds = route.operation.get("requestBody", {}).get("content", {})
        if route.names or "application/json" not in kinds or "/me" in route.path or "/session" in route.path:
            continue
        for reference in given:
            body = body_of(route, lambda name, reference=reference: "" if name == "title" else reference)
            answer = ask(member, route, route.path, **body)
            assert CANARY not in answer.text, str(route)
            assert answer.status_code < 500, f"{route}: {answer.status_code}"
    after = world.state()["rows"]
    for table, rows in before.items():
        assert set(rows) <= set(after[table]), f"something of A's in {table} has changed"


WORKS = (
    ("predict", {"model_name_or_path": "run:JOB", "dataset": "medical_demo_en"}),
    (
        "predict",
        {"model_name_or_path": "smollm2-135m", "adapter_name_or_path": "run:JOB", "dataset": "SET"},
    ),
    ("predict", {"model_name_or_path": "smollm2-135m", "dataset": "SET"}),
    ("train", {"model_name_or_path": "smollm2-135m", "dataset": "SET"}),
    ("prepare", {"model_name_or_path": "smollm2-135m", "dataset": "medical_demo_en,SET"}),
    ("evaluate", {"pred_file": "run:JOB/predict"}),
    ("recipe", {"name": "x", "data": {"train": "SET", "test": "SET"}, "train": {"model_name_or_path": "smollm2-135m"}}),
)


def test_attack_21_anothers_run_or_set_in_a_job_is_not_there(world: World, member: httpx.Client) -> None:
    for kind, work in WORKS:
        text = json.dumps(work).replace("JOB", world.things["job_id"]).replace("SET", world.things["datasets name"])
        answer = member.post("/api/v1/jobs", json={"kind": kind, "work": json.loads(text)})
        assert answer.status_code == 404, f"{work}: {answer.text}"
    assert member.get("/api/v1/jobs").json()["total"] == 0


HOSTILE_TEXTS = ("' OR '1'='1", '"; DROP TABLE users; --', "%", "_", "\\", "\x00", "a" * 190, "‮", "{{7*7}}", "*")


def test_attack_59_hostile_texts_in_searches_find_and_break_nothing(world: World, member: httpx.Client) -> None:
    for route in readers():
        for parameter in route.query if not route.names else ():
            if parameter["name"] in ("sort", "order", "order_by"):
                assert "enum" in parameter["schema"], f"{route}: {parameter['name']} is not from a list"
            for text in HOSTILE_TEXTS:
                answer = ask(member, route, route.path, params={parameter["name"]: text})
                assert answer.status_code in (200, 303, 404, 422), f"{route} {parameter['name']}={text!r}"
                assert CANARY not in answer.text, str(route)


@pytest.mark.long
def test_attack_59_hostile_texts_break_nothing_of_ones_own_either(world: World) -> None:
    asked = set()
    with world.client("a") as client:
        for route in readers():
            for parameter in route.query if route.names else ():
                asked.add(str(route))
                for text in (*HOSTILE_TEXTS, "²", "e².l²", "1e999"):
                    answer = ask(client, route, world.address(route), params={parameter["name"]: text})
                    assert answer.status_code < 500, f"{route} {parameter['name']}={text!r}"
    assert len(asked) > 10


def test_attack_59_half_a_character_in_a_body_breaks_nothing_and_is_not_kept(world: World) -> None:
    """Every text of every body, one at a time. JSON can name half a character; no file, page or answer can hold it."""
    tried = set()
    with world.client("a") as client:
        for route in all_routes():
            body = body_of(route).get("json")
            if route.method not in ("post", "put", "patch") or not isinstance(body, dict) or str(route) in OPEN:
                continue
            for spoiled in _each_text_with(body, "\ud800"):
                tried.add(str(route))
                answer = ask(
                    client, route, world.address(route), content=json.dumps(spoiled), headers={"Content-Type": JSON}
                )
                assert answer.status_code < 500, f"{route}: {spoiled}"
        assert len(tried) > 30
        for route in readers():
            if route.path not in NOBODYS and str(route) not in OPEN:
                assert ask(client, route, world.address(route)).status_code < 500, str(route)


def _each_text_with(value: Any, more: str) -> Iterator[Any]:
    """Copies of a value of JSON; in each, another text has something more at its end."""
    if isinstance(value, str):
        yield value + more
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from ({**value, name: one} for one in _each_text_with(inner, more))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ([*value[:place], one, *value[place + 1 :]] for one in _each_text_with(inner, more))


def test_attack_59_a_percent_sign_is_a_percent_sign(world: World) -> None:
    with world.client("a") as client:
        found = {
            text: client.get("/api/v1/jobs", params={"search": text}).json()["total"] for text in ("%", "_", "canary")
        }
    assert found == {"%": 0, "_": 0, "canary": 3}


def test_attack_69_every_route_that_creates_does_it_once(world: World) -> None:
    """The source of each such route goes through `once`, or is one of those whose repetition is harmless."""
    from metier.api import routes

    # A name is taken once; a second upload or picture just waits, and is cleared away.
    repeated = {"POST /api/v1/accounts", "POST /api/v1/uploads", "POST /api/v1/pictures",
                "POST /api/v1/findings/uploads"}  # fmt: skip
    sources = "".join(_source(router) for router in routes.routers())
    for route in all_routes():
        if not route.creates or str(route) in repeated or not route.path.startswith("/api/"):
            continue
        name = route.operation["operationId"].partition("_api_v1_")[0]
        assert re.search(rf"def {name}\((?:(?!\n\n\n).)*?\bonce\(", sources, re.DOTALL), f"{route}: no Idempotency-Key"


def _source(router: Any) -> str:
    endpoint = router.routes[0].endpoint
    return inspect.getsource(sys.modules[endpoint.__module__]) + "\n\n\n"
