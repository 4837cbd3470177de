"""Forgotten means gone (attack 24): what was removed is found in no file and no table any more, by search."""

from __future__ import annotations

import httpx
import pytest

from metier.workbench.accounts import Person
from metier.workbench.store.tables import Base, Job, SavedRecipe
from metier.workbench.workbench import Workbench
from tests.security.world import CANARY, World, give_run, give_set
from tests.support.bench import wait_for

PAGES = "canary-of-pages-3c9e"


def traces(workbench: Workbench, canary: str = CANARY) -> list[str]:
    """Files and tables that hold the canary."""
    sweeper = workbench.database.sweeper
    if sweeper is not None:
        wait_for(lambda: sweeper.clean, 30)
    found = [
        str(path.relative_to(workbench.folder))
        for path in workbench.folder.rglob("*")
        if path.is_file() and (canary.encode() in path.read_bytes() or canary in path.name)
    ]
    with workbench.database.read() as session:
        for table in Base.metadata.sorted_tables:
            found += [table.name for row in session.execute(table.select()) if canary in str(tuple(row))]
    return found


def remove(client: httpx.Client, address: str, **query: object) -> None:
    answer = client.delete(f"/api/v1/{address}", params=query)  # type: ignore[arg-type]
    assert answer.status_code == 204, f"{address}: {answer.text}"


def test_attack_24_nothing_of_what_was_removed_is_found_by_search(world: World) -> None:
    workbench, things = world.workbench, world.things
    assert {"jobs/" + things["job_id"] + "/log.txt"} <= set(traces(workbench))
    with world.client("a") as client:
        # Answers that are kept for their keys, names that were changed, and rows that were looked at leave traces too.
        spec = {"model_name_or_path": "smollm2-135m", "dataset": "medical_demo_en"}
        made = client.post(
            "/api/v1/recipes",
            json={"name": f"{CANARY} two", "kind": "train", "work": spec},
            headers={"Idempotency-Key": "one"},
        )
        assert made.status_code == 201, made.text
        assert client.patch(f"/api/v1/jobs/{things['job_id']}", json={"title": f"{CANARY} again"}).status_code == 200
        assert CANARY in client.get("/api/v1/datasets/set_of_a/rows").text
        client.get("/datasets/set_of_a")
        client.post(f"/api/v1/jobs/{things['queued_id']}/cancel")
        remove(client, "datasets/set_of_a", runs=True)
        remove(client, f"uploads/{things['upload_id']}")
        remove(client, f"knowledge/{things['base']}/documents/{things['document']}")
        assert CANARY not in client.post(f"/api/v1/knowledge/{things['base']}/search", json={"text": CANARY}).text
        remove(client, f"knowledge/{things['base']}")
        remove(client, "specialists/specialist-of-a")
        remove(client, f"assistant/chats/{things['assistant chat_id']}")
        remove(client, f"findings/{things['findings job_id']}")
        remove(client, f"findings/uploads/{things['findings upload_id']}")
        remove(client, f"reviews/{things['review_id']}")
        remove(client, f"chats/{things['chat_id']}")
        remove(client, f"jobs/{things['job_id']}")
        remove(client, f"jobs/{things['queued_id']}")
        remove(client, f"me/keys/{things['key_id']}")
        remove(client, "me/secrets/HF_TOKEN")
        for recipe in (things["recipe_id"], made.json()["id"]):
            remove(client, f"recipes/{recipe}")
        assert client.get("/api/v1/datasets/set_of_a").status_code == 404
        asked = {"kind": "prepare", "work": {"model_name_or_path": "smollm2-135m", "dataset": "set_of_a"}}
        assert client.post("/api/v1/jobs", json=asked).status_code == 404
    assert traces(workbench) == []


def test_attack_24_not_even_pages_of_the_database_that_were_rebuilt_hold_a_word(world: World) -> None:
    """Many rows of all lengths, so that pages are split and joined while some of them are removed."""
    workbench, a = world.workbench, world.a
    plain = {"kind": "train", "owner_id": a.id}
    for number in range(40):
        give = PAGES if number % 2 else "other"
        with workbench.database.write() as session:
            text = f"{give} {'x' * (number * 90 % 2500)}"
            session.add(SavedRecipe(name=f"{give} {number}", spec={"note": text}, **plain))
            session.add(Job(title=f"{give} {number}", spec={"asked": {"note": text}}, state="done", **plain))
    with world.client("a") as client, workbench.database.read() as session:
        recipes = session.query(SavedRecipe.id).where(SavedRecipe.name.contains(PAGES)).all()
        jobs = session.query(Job.id).where(Job.title.contains(PAGES)).all()
        session.close()
        for (one,) in recipes:
            remove(client, f"recipes/{one}")
        for (one,) in jobs:
            remove(client, f"jobs/{one}")
    assert traces(workbench, PAGES) == []


def test_attack_24_of_a_closed_account_nothing_is_served_any_more(
    world: World, workbench: Workbench, owner: Person
) -> None:
    with world.client("a") as client, httpx.Client(base_url=world.site) as by_key:
        by_key.headers["Authorization"] = f"Bearer {world.things['key']}"
        assert (client.get("/api/v1/me").status_code, by_key.get("/api/v1/me").status_code) == (200, 200)
        workbench.accounts.set_user(owner, world.a.id, state="closed")
        assert (client.get("/api/v1/me").status_code, by_key.get("/api/v1/me").status_code) == (401, 401)


@pytest.mark.parametrize("runs", [False, True])
def test_attack_24_what_a_removed_set_leaves_in_runs_is_said(world: World, runs: bool) -> None:
    """Copies of a set go with it at once; the answers and reports of its runs only where that is asked for."""
    workbench, a = world.workbench, world.a
    row = give_set(workbench, a, "another")
    run = give_run(workbench, a, "train")
    folder = workbench.jobs.folder_of(run)
    (folder / "data").mkdir()
    (folder / "data" / f"{row.id}.jsonl").write_text(CANARY, encoding="utf-8")
    workbench.datasets.remove(a, "another", runs=runs)
    assert not (folder / "data" / f"{row.id}.jsonl").exists()
    assert folder.exists() is not runs
