"""Every page of the house, in both languages and themes, on a desktop and a phone: nobody is shut out, nothing sticks
out, nothing is asked of anybody else.

The addresses come from the application's own routes: a page that is added is walked through without a word here.
"""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from tools.screenshot import Browser

from metier.web.app import build
from metier.workbench.workbench import Workbench
from tests.support.bench import PASSWORD
from tests.support.example import Example, fill, page_routes
from tests.web.axe import serious

# Language, theme, width. Each page is seen in two of these views that share nothing, its neighbour in the other two.
VIEWS = (("en", "light", 1440), ("zh", "dark", 390), ("zh", "light", 1440), ("en", "dark", 390))
# What a text looks like that nobody translated or filled in
UNSAID = re.compile(
    r"\b(?:web|workbench|api|core|data|models|train|predict|evaluate|report|recipes|prepare)\.[a-z]\w*_\w+\b"
    r"|\bundefined\b|\bNaN\b|\[object |{\w+}"
)


@pytest.mark.slow
def test_every_page_is_whole_for_everybody(workbench: Workbench, served: str, tab: Browser) -> None:
    owner = workbench.accounts.sign_up("li", PASSWORD)
    found = [
        problem
        for address in ("/sign-in", "/sign-up?invitation=x")
        for view in VIEWS
        for problem in problems(tab, served, address, view)
    ]
    sign_in(tab, served)
    plain = [route for route in page_routes() if "{" not in route]
    for address in whole_pages(workbench, Example({}, {}), plain):  # as the first visitor sees them, all empty
        found += problems(tab, served, address, VIEWS[1])
    workbench.scheduler.stop()
    example = fill(workbench, owner)
    for number, address in enumerate(whole_pages(workbench, example, list(page_routes()))):
        for view in VIEWS[2 * (number % 2) :][:2]:
            found += problems(tab, served, address, view)
    assert found == []


def whole_pages(workbench: Workbench, example: Example, routes: list[str]) -> list[str]:
    """The addresses of routes that answer with a whole page: parts of pages come with the page that they belong to."""
    client = TestClient(build(workbench), base_url="http://localhost", follow_redirects=True)
    client.post("/api/v1/session", json={"name": "li", "password": PASSWORD}).raise_for_status()
    whole = []
    for route in routes:
        for address in example.addresses(route):
            answer = client.get(address, headers={"accept": "text/html"})
            # 422: a part of a page, which asks for it with what it knows; sandbox: shown in a frame of a page
            framed = "sandbox" in answer.headers["content-security-policy"]
            if answer.text.lstrip().startswith("<!doctype html>") and answer.status_code != 422 and not framed:
                assert answer.status_code == 200, (address, answer.status_code)
                whole.append(address)
    return list(dict.fromkeys(whole))


def sign_in(tab: Browser, served: str) -> None:
    tab.open(served + "/sign-in", width=1440)
    tab.fill("[name=name]", "li")
    tab.fill("[name=password]", PASSWORD)
    tab.submit(".fields button")


def problems(tab: Browser, served: str, address: str, view: tuple[str, str, int]) -> list[str]:
    """What is wrong with a page as somebody sees it, in words that say where."""
    language, theme, width = view
    for name, value in (("metier_language", language), ("metier_theme", theme)):
        tab.call("Network.setCookie", name=name, value=value, url=served)
    tab.messages.clear()
    tab.requests.clear()
    tab.open(served + address, width=width)
    tab.wait_for("!document.querySelector('[aria-busy=true]')", seconds=60)  # the first estimate starts a process
    tab.evaluate("new Promise(done => setTimeout(done, 120))")
    found = [f"{one}" for one in tab.messages]
    found += [f"asks {one}" for one in tab.requests if not one.startswith((served, "data:", "blob:"))]
    if (wide := tab.evaluate("document.documentElement.scrollWidth")) > width:
        found.append(f"is {wide} px wide")
    text = str(tab.evaluate("document.body.innerText"))
    found += [f"shows {one!r}" for one in dict.fromkeys(UNSAID.findall(text))]
    found += [f"{rule}: {element[:200]}" for _, rule, element in serious(tab)]
    return [f"{address} {language} {theme} {width}: {problem}" for problem in found]
