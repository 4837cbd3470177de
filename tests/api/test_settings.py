"""Account, sign-ins, invitations, keys of services and the machine, over the API."""

from __future__ import annotations

from fastapi.testclient import TestClient

from metier.workbench.store.tables import Answered, Secret
from metier.workbench.workbench import Workbench
from tests.support.bench import PASSWORD, sign_up


def test_a_name_is_changed_and_the_one_to_sign_in_with_stays(client: TestClient) -> None:
    sign_up(client)
    assert client.patch("/api/v1/me", json={"name": "李医生"}).json()["name"] == "李医生"
    assert client.get("/api/v1/me").json()["name"] == "李医生"
    assert client.patch("/api/v1/me", json={"name": "a\u202eb"}).status_code == 409
    assert client.post("/api/v1/session", json={"name": "li", "password": PASSWORD}).status_code == 200


def test_every_other_sign_in_can_be_ended_at_once(client: TestClient) -> None:
    sign_up(client)
    first = client.cookies["metier"]
    client.cookies.clear()
    client.post("/api/v1/session", json={"name": "li", "password": PASSWORD})
    assert [row["this"] for row in client.get("/api/v1/me/sessions").json()].count(True) == 1
    assert client.delete("/api/v1/me/sessions").status_code == 204
    assert len(client.get("/api/v1/me/sessions").json()) == 1
    client.cookies.clear()
    assert client.get("/api/v1/me", headers={"Cookie": f"metier={first}"}).status_code == 401


def test_an_invitation_is_withdrawn(client: TestClient) -> None:
    sign_up(client)
    token = client.post("/api/v1/invitations", json={}).json()["invitation"]
    (row,) = client.get("/api/v1/invitations").json()
    assert client.delete(f"/api/v1/invitations/{row['id']}").status_code == 204
    assert client.get("/api/v1/invitations").json() == []
    refused = client.post("/api/v1/accounts", json={"name": "w", "password": PASSWORD, "invitation": token})
    assert refused.status_code == 403


def test_what_is_shown_once_is_kept_sealed_for_the_same_request_only(client: TestClient, workbench: Workbench) -> None:
    sign_up(client)
    ask = {"json": {"name": "script"}, "headers": {"Idempotency-Key": "one"}}
    first, again = client.post("/api/v1/me/keys", **ask).json(), client.post("/api/v1/me/keys", **ask).json()
    assert first == again
    assert len(client.get("/api/v1/me/keys").json()) == 1
    with workbench.database.read() as session:
        (kept,) = session.query(Answered)
    assert first["key"] not in kept.body
    assert first["id"] in kept.body  # so that it can be forgotten with it


def test_a_services_key_is_never_given_out(client: TestClient, workbench: Workbench) -> None:
    sign_up(client)
    assert client.put("/api/v1/me/secrets/HF_TOKEN", json={"value": "hf_canary"}).status_code == 204
    assert client.put("/api/v1/me/secrets/PATH", json={"value": "x"}).status_code == 409
    assert client.get("/api/v1/me/secrets").json() == ["HF_TOKEN"]
    assert "hf_canary" not in client.get("/settings/secrets").text
    with workbench.database.read() as session:
        assert "hf_canary" not in session.query(Secret).one().sealed


def test_the_machine_is_an_admins(client: TestClient) -> None:
    sign_up(client)
    token = client.post("/api/v1/invitations", json={}).json()["invitation"]
    assert client.get("/api/v1/machine").json()["disk_free"] > 0
    assert client.get("/api/v1/machine/data-size").json()["bytes"] > 10_000
    client.cookies.clear()
    sign_up(client, "wang", invitation=token)
    assert client.get("/api/v1/machine").status_code == 403
