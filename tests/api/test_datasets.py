"""Datasets over the API: a file comes in, gets columns, is shown row by row, checked, and forgotten."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from fastapi.testclient import TestClient

from metier.workbench.workbench import Workbench
from tests.faults.children import give_model, training
from tests.support.bench import PASSWORD, sign_up, wait_for

QUESTION, ANSWER = "咨询内容", "医生答复"


def workbook(rows: list[list[Any]]) -> bytes:
    """An Excel file."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def send(client: TestClient, name: str, content: bytes) -> str:
    """Uploads a file; returns the upload's id."""
    answer = client.post("/api/v1/uploads", params={"name": name}, content=content)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def cases(client: TestClient, rows: int = 40, name: str = "cases") -> None:
    """Registers a small set."""
    lines = [
        {"instruction": f"Case {n}: canary-{n} ?", "input": "", "output": f"It is {n}."} for n in range(1, rows + 1)
    ]
    upload = send(client, "cases.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode())
    answer = client.post("/api/v1/datasets", json={"upload": upload, "name": name})
    assert answer.status_code == 201, answer.text


def test_an_excel_file_with_columns_of_any_name_is_looked_into_registered_and_read(client: TestClient) -> None:
    sign_up(client)
    rows = [["科室", QUESTION, ANSWER], ["内科", "头晕怎么办？", "请先测量血压。"], ["外科", "伤口红肿？", ""]]
    upload = send(client, "问诊 记录.xlsx", workbook(rows))
    seen = client.post(f"/api/v1/uploads/{upload}/look", json={}).json()
    assert (seen["columns"], seen["needs_columns"]) == (rows[0], True)
    columns = {"prompt": QUESTION, "response": ANSWER}
    wanted = {"upload": upload, "name": "问诊", "columns": columns}
    refused = client.post("/api/v1/datasets", json=wanted)
    assert refused.status_code == 422
    assert "row 2" in refused.json()["detail"]
    assert refused.json()["detail"].startswith("问诊 记录.xlsx:3")
    key = {"Idempotency-Key": "once"}
    made = [client.post("/api/v1/datasets", json={**wanted, "skip_bad_rows": True}, headers=key) for _ in range(2)]
    assert made[0].json() == made[1].json()
    assert made[0].json()["rows"] == 1
    read = client.get("/api/v1/datasets/问诊/rows").json()
    assert read["total"] == 2
    assert read["rows"][0]["messages"][0] == {"role": "user", "content": "头晕怎么办？"}
    assert read["rows"][1]["problem"]
    assert read["rows"][1]["raw"] == {"科室": "外科", QUESTION: "伤口红肿？", ANSWER: ""}


def test_rows_are_paged_and_a_shipped_set_has_them_too(client: TestClient) -> None:
    sign_up(client)
    cases(client)
    page = client.get("/api/v1/datasets/cases/rows", params={"first": 31, "limit": 5}).json()
    assert [row["number"] for row in page["rows"]] == [31, 32, 33, 34, 35]
    assert (page["next"], page["total"]) == (36, 40)
    assert client.get("/api/v1/datasets/cases/rows", params={"first": 36}).json()["next"] is None
    shipped = client.get("/api/v1/datasets/medical_demo_en/rows", params={"limit": 1}).json()
    assert shipped["total"] == 506
    assert shipped["rows"][0]["messages"][-1]["role"] == "assistant"


def test_a_row_is_shown_as_the_model_sees_it(client: TestClient, tiny_model: Path) -> None:
    sign_up(client)
    give_model(tiny_model)
    cases(client)
    ask = {"model": "tiny", "cutoff_len": 2048}
    entry = client.get("/api/v1/datasets/cases/rows/7/preview", params=ask).json()[0]
    assert "".join(piece["text"] for piece in entry["pieces"]) == "".join(one["text"] for one in entry["text_segments"])
    assert sum(len(piece["ids"]) for piece in entry["pieces"]) == entry["tokens"]
    assert "It is 7." in "".join(piece["text"] for piece in entry["pieces"] if piece["loss"])
    assert "canary-7" not in "".join(piece["text"] for piece in entry["pieces"] if piece["loss"])
    cut = client.get("/api/v1/datasets/cases/rows/7/preview", params={**ask, "cutoff_len": 30}).json()[0]
    assert cut["truncated"] > 0
    assert client.get("/api/v1/datasets/cases/rows/41/preview", params=ask).status_code == 404
    absent = client.get("/api/v1/datasets/cases/rows/7/preview", params={"model": "qwen3-8b"})
    assert absent.status_code == 409
    assert "Qwen3-8B" in absent.json()["detail"]


def test_what_can_only_be_sent_anew_is_not_kept(client: TestClient) -> None:
    sign_up(client)
    for content, word in ((b"", "empty"), (workbook([["a"]]), "Word, Excel or zip")):
        refused = client.post("/api/v1/uploads", params={"name": "cases.csv"}, content=content)
        assert refused.status_code == 422
        assert word in refused.json()["detail"]
    assert client.get("/api/v1/uploads").json() == []
    upload = send(client, "blank.csv", b"\n\n")
    shown = client.get("/datasets/new", params={"upload": upload}, follow_redirects=True).text
    assert "Choose another file" in shown
    client.post(f"/datasets/uploads/{upload}/discard")
    assert "not waiting any more" in client.get("/datasets/new", params={"upload": upload}, follow_redirects=True).text


@pytest.mark.slow
def test_a_check_finds_rows_and_goes_with_its_set(client: TestClient, workbench: Workbench, tiny_model: Path) -> None:
    sign_up(client)
    give_model(tiny_model)
    rows = [{"instruction": f"What is the {n}th sign?", "input": "", "output": "It is this."} for n in range(9)]
    rows += [rows[0], {"instruction": "Long?", "input": "", "output": "word " * 400}, {"instruction": "", "output": ""}]
    content = "".join(json.dumps({"input": "", **row}) + "\n" for row in rows).encode()
    wanted = {"upload": send(client, "a.jsonl", content), "name": "signs", "skip_bad_rows": True}
    assert client.post("/api/v1/datasets", json=wanted).status_code == 201
    assert client.get("/api/v1/datasets/signs/check").status_code == 404
    job = client.post("/api/v1/datasets/signs/check", json={"model": "tiny", "cutoff_len": 512}).json()["job"]
    wait_for(lambda: client.get(f"/api/v1/jobs/{job}").json()["state"] in ("done", "failed"))
    found = client.get("/api/v1/datasets/signs/check").json()
    kinds = {one["kind"]: one for one in found["findings"]}
    assert kinds["duplicates"]["rows"] == [10]
    assert kinds["duplicates"]["partners"] == {"10": 1}
    assert kinds["answers_cut"]["rows"] == [11]
    assert kinds["unusable"]["rows"] == [12]
    assert str(workbench.settings.folder) not in json.dumps(kinds)
    assert client.delete("/api/v1/datasets/signs").status_code == 204
    assert client.get(f"/api/v1/jobs/{job}").status_code == 404


@pytest.mark.slow
def test_a_removed_set_leaves_no_trace(client: TestClient, workbench: Workbench, tiny_model: Path) -> None:
    sign_up(client)
    give_model(tiny_model)
    cases(client)
    client.get("/api/v1/datasets/cases/rows")
    ended = client.post("/api/v1/jobs", json={"kind": "train", "work": training(max_steps=1)}).json()["id"]
    wait_for(lambda: client.get(f"/api/v1/jobs/{ended}").json()["state"] in ("done", "failed"))
    running = client.post("/api/v1/jobs", json={"kind": "train", "work": training()}).json()["id"]
    waiting = client.post("/api/v1/jobs", json={"kind": "train", "work": training()}).json()["id"]
    assert len(client.get("/api/v1/datasets/cases/runs").json()) == 3
    assert client.delete("/api/v1/datasets/cases").status_code == 204
    assert quoting(workbench.settings.folder, "canary-", without=(running, waiting)) == []
    assert quoting(workbench.settings.folder / "jobs" / waiting, "canary-") != []
    for job in (waiting, running):
        client.post(f"/api/v1/jobs/{job}/cancel")
        wait_for(lambda job=job: client.get(f"/api/v1/jobs/{job}").json()["state"] == "cancelled")
    wait_for(lambda: quoting(workbench.settings.folder, "canary-") == [])


@pytest.mark.long
def test_the_runs_that_quote_a_set_can_go_with_it(client: TestClient, workbench: Workbench, tiny_model: Path) -> None:
    sign_up(client)
    give_model(tiny_model)
    cases(client, 4)
    work = {"model_name_or_path": "tiny", "dataset": "cases", "max_new_tokens": 4}
    job = client.post("/api/v1/jobs", json={"kind": "predict", "work": work}).json()["id"]
    wait_for(lambda: client.get(f"/api/v1/jobs/{job}").json()["state"] in ("done", "failed"))
    assert quoting(workbench.settings.jobs / job / "run", "canary-") != []
    assert client.delete("/api/v1/datasets/cases", params={"runs": True}).status_code == 204
    assert client.get(f"/api/v1/jobs/{job}").status_code == 404
    assert quoting(workbench.settings.folder, "canary-") == []


def quoting(folder: Path, words: str, *, without: tuple[str, ...] = ()) -> list[str]:
    """Files below a folder that contain some words."""
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and not set(without) & set(path.parts) and words.encode() in path.read_bytes()
    ]


def test_what_is_anothers_is_not_there(client: TestClient) -> None:
    sign_up(client)
    cases(client)
    upload = send(client, "a.jsonl", b"{}\n")
    invitation = client.post("/api/v1/invitations", json={}).json()["invitation"]
    client.cookies.clear()
    sign_up(client, "wang", invitation=invitation)
    for path in ("", "/rows", "/rows/1/preview", "/check", "/runs", "/file"):
        assert client.get(f"/api/v1/datasets/cases{path}").status_code == 404, path
    assert client.post("/api/v1/datasets/cases/check", json={}).status_code == 404
    assert client.get(f"/api/v1/uploads/{upload}").status_code == 404
    assert client.get("/api/v1/uploads").json() == []
    assert client.get("/api/v1/datasets").json()["datasets"] == []
    for path in ("/datasets/cases", "/datasets/cases/rows-part"):
        assert client.get(path, headers={"Accept": "text/html"}).status_code == 404, path
    looked = client.get(f"/datasets/new?upload={upload}", headers={"Accept": "text/html"})
    assert looked.headers["location"] == "/datasets?gone=true"  # as of one that never was
    client.cookies.clear()
    client.post("/api/v1/session", json={"name": "li", "password": PASSWORD})
    assert client.get("/api/v1/datasets/cases").status_code == 200


def test_sets_are_listed_page_by_page_and_found_by_name(client: TestClient) -> None:
    sign_up(client)
    for number in range(3):
        cases(client, 1, f"cases-{number}")
    first = client.get("/api/v1/datasets", params={"limit": 2}).json()
    assert ([one["name"] for one in first["datasets"]], first["total"]) == (["cases-2", "cases-1"], 3)
    second = client.get("/api/v1/datasets", params={"limit": 2, "after": first["next"]}).json()
    assert ([one["name"] for one in second["datasets"]], second["next"]) == (["cases-0"], None)
    assert client.get("/api/v1/datasets", params={"search": "S-1"}).json()["total"] == 1


def test_the_page_of_a_row_without_pictures_shows_its_tokens(client: TestClient, tiny_model: Path) -> None:
    sign_up(client)
    give_model(tiny_model)
    cases(client, rows=2)
    part = client.get("/datasets/cases/preview-part", params={"row": 1, "model": "tiny"})
    assert part.status_code == 200
    assert 'class="tokens"' in part.text
