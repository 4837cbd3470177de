"""The settings in a real browser and over forms: what is shown once, what asks, and who sees which sections."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tools.screenshot import Browser

from metier.web.pages.settings import ADMIN, OWN
from metier.workbench.workbench import Workbench
from tests.support.bench import PASSWORD, member, sign_up

AXE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"


def test_sections_of_the_installation_are_not_there_for_a_member(client: TestClient, workbench: Workbench) -> None:
    sign_up(client)
    admin = workbench.accounts.person_of_token(client.cookies["metier"])
    assert admin is not None
    assert [client.get(f"/settings/{name}").status_code for name in OWN + ADMIN] == [200] * 8
    member(workbench, admin, "wang")
    client.cookies.clear()
    client.post("/api/v1/session", json={"name": "wang", "password": PASSWORD})
    assert [client.get(f"/settings/{name}").status_code for name in OWN + ADMIN] == [200] * 5 + [404] * 3
    assert client.post("/settings/users/invitations", data={"role": "admin"}).status_code == 404
    assert client.post(f"/settings/users/{admin.id}", data={"state": "closed"}).status_code == 404
    assert client.post("/settings/users/registration", data={"who": "open"}).status_code == 404
    assert workbench.accounts.registration() == "invited"


def test_a_form_that_is_wrong_says_so_and_changes_nothing(client: TestClient) -> None:
    sign_up(client)
    wrong = client.post("/settings/account/password", data={"old": "guess it", "new": "another password"})
    assert (wrong.status_code, "do not match" in wrong.text) == (401, True)
    users = client.get("/api/v1/users").json()
    last = client.post(f"/settings/users/{users[0]['id']}", data={"role": "member"})
    assert (last.status_code, "last admin" in last.text) == (409, True)
    assert client.get("/api/v1/users").json() == users


@pytest.mark.slow
def test_a_key_and_a_link_are_shown_once_and_the_pages_are_readable_by_all(served: str, tab: Browser) -> None:
    tab.open(served + "/sign-up", width=1440)
    tab.fill("[name=name]", "<img src=x onerror=alert(1)>")
    tab.fill("[name=password]", PASSWORD)
    tab.submit(".fields button")
    tab.open(served + "/settings/keys", width=390)
    tab.fill(".line-form [name=name]", "<script>alert(1)</script>")
    tab.submit(".line-form button")
    key = tab.evaluate("document.getElementById('fresh').textContent")
    assert key.startswith("mk-")
    tab.open(served + "/settings/keys", width=390)
    assert key not in tab.evaluate("document.body.textContent")
    tab.open(served + "/settings/users", width=1440)
    tab.submit("[action='/settings/users/invitations'] button")
    link = tab.evaluate("document.getElementById('fresh').textContent")
    assert link.startswith(f"{served}/sign-up?invitation=")
    tab.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    for name in OWN + ADMIN:
        tab.open(f"{served}/settings/{name}", width=390)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        tab.evaluate(AXE.read_text(encoding="utf-8") + ";0")
        found = tab.evaluate(
            "axe.run().then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact))"
            ".map(v => v.id + ' ' + v.nodes[0].html))"
        )
        assert found == [], name
    assert tab.messages == []
    assert [address for address in tab.requests if not address.startswith((served, "data:"))] == []
