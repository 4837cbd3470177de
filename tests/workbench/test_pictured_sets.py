"""Sets with pictures: into a job's folder as they were sent, gone with the set, and in a backup."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from metier.core.errors import CorruptionError
from metier.core.files import sha256_file
from metier.data import load_dataset
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.datasets import UPLOAD
from metier.workbench.store.tables import Dataset
from metier.workbench.workbench import Workbench
from tests.data.writing import PNG
from tests.support.bench import PASSWORD, opened

ASKED = {"image": "a.png", "question": "How high?", "answer": "5"}
WORK = {"model_name_or_path": "smollm2-135m", "dataset": "charts"}


async def _bytes(content: bytes) -> AsyncIterator[bytes]:
    yield content


def given(workbench: Workbench, owner: Person) -> Dataset:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("train.jsonl", json.dumps(ASKED))
        archive.writestr("a.png", PNG)
    upload = asyncio.run(workbench.datasets.receive(owner, "charts.zip", _bytes(target.getvalue())))
    assert workbench.datasets.used_bytes(owner) == upload.size == len(PNG) + len(json.dumps(ASKED))
    return workbench.datasets.register(owner, upload.id, "charts")


def test_a_job_has_the_pictures_as_they_were_sent_and_they_go_with_the_set(tmp_path: Path) -> None:
    with opened(tmp_path) as workbench:
        person = workbench.accounts.sign_up("li", PASSWORD)
        row = given(workbench, person)
        job = workbench.jobs.submit(person, "train", WORK)
        folder = workbench.jobs.folder_of(job)
        (picture,) = load_dataset("charts", dataset_dir=folder / layout.DATA).conversations[0].messages[0].images
        assert Path(picture.path or "").is_relative_to(folder)
        assert Path(picture.path or "").read_bytes() == PNG
        (kept,) = (workbench.datasets.folder / row.id / "pictures").iterdir()
        kept.unlink()  # a link of the job's stays whole
        kept.write_bytes(PNG + b"x")
        with pytest.raises(CorruptionError, match="charts"):
            workbench.jobs.submit(person, "train", WORK)
        workbench.jobs.cancel(person, job.id)
        workbench.datasets.remove(person, "charts")
        assert workbench.datasets.used_bytes(person) == 0
        here = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert not [path for path in here if path.stat().st_size == len(PNG) and path.read_bytes() == PNG]


def test_a_half_unpacked_upload_is_cleared_away(tmp_path: Path) -> None:
    with opened(tmp_path) as workbench:
        person = workbench.accounts.sign_up("li", PASSWORD)
        row = given(workbench, person)
        half = workbench.datasets.uploads / person.id / "half"
        (half / "unpacked" / "pictures").mkdir(parents=True)
        (half / "file.zip").write_bytes(b"PK")
        workbench.datasets.clear_away()
        assert not half.exists()
        (kept,) = (workbench.datasets.folder / row.id / "pictures").iterdir()
        assert sha256_file(kept) == kept.name
        assert not (workbench.datasets.folder / row.id / UPLOAD).exists()
