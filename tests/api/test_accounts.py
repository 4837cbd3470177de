"""Sign-up, sign-in and keys over the API."""

from __future__ import annotations

from fastapi.testclient import TestClient

from tests.support.bench import PASSWORD, sign_up


def test_the_first_becomes_admin_and_others_need_an_invitation(client: TestClient) -> None:
    assert sign_up(client)["role"] == "admin"
    invitation = client.post("/api/v1/invitations", json={}).json()["invitation"]
    client.cookies.clear()
    refused = client.post("/api/v1/accounts", json={"name": "wang", "password": PASSWORD})
    assert refused.status_code == 403
    assert sign_up(client, "wang", invitation=invitation)["role"] == "member"
    again = client.post("/api/v1/accounts", json={"name": "zhao", "password": PASSWORD, "invitation": invitation})
    assert again.status_code == 403


def test_a_key_is_shown_once_and_works_until_revoked(client: TestClient) -> None:
    sign_up(client)
    made = client.post("/api/v1/me/keys", json={"name": "script"}).json()
    assert made["key"] not in client.get("/api/v1/me/keys").text
    client.cookies.clear()
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert client.get("/api/v1/me", headers=headers).json()["name"] == "li"
    assert client.delete(f"/api/v1/me/keys/{made['id']}", headers=headers).status_code == 204
    assert client.get("/api/v1/me", headers=headers).status_code == 401


def test_a_wrong_field_is_a_problem_that_names_it(client: TestClient) -> None:
    answer = client.post("/api/v1/accounts", json={"name": "li", "password": PASSWORD, "role": "admin"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == "role"


def test_a_browser_that_has_chosen_no_language_is_spoken_to_in_the_accounts(client: TestClient) -> None:
    sign_up(client)
    client.post("/language", data={"to": "zh"})
    client.cookies.clear()
    client.post("/api/v1/session", json={"name": "li", "password": PASSWORD}).raise_for_status()
    english = {"accept-language": "en"}
    assert 'lang="zh-CN"' in client.get("/", headers={**english, "accept": "text/html"}).text
    refused = client.get("/api/v1/jobs/0000000000000000", headers=english)
    assert refused.status_code == 404
    assert "未" in refused.json()["detail"] or "没有" in refused.json()["detail"]


def test_a_key_that_opens_nothing_is_called_that(client: TestClient) -> None:
    sign_up(client)
    client.cookies.clear()
    for given in ("Bearer ", "Bearer nonsense", "nonsense"):
        answer = client.get("/api/v1/me", headers={"authorization": given})
        assert (answer.status_code, answer.json()["code"]) == (401, "workbench.unknown_key")
    assert client.get("/api/v1/me").json()["code"] == "workbench.not_signed_in"
