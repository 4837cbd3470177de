"""A backup taken while everything moves goes back, whole, on an empty place; fault 29."""

from __future__ import annotations

import tarfile
import threading
from pathlib import Path

import pytest

from metier.core.errors import CorruptionError, RunError
from metier.workbench.accounts import Person
from metier.workbench.backup import backup, restore
from metier.workbench.importing import import_batch
from metier.workbench.workbench import Workbench
from tests.faults.children import arrive, give_data
from tests.support.bench import PASSWORD, opened, settings

pytestmark = pytest.mark.slow


def test_fault_29_a_backup_under_load_goes_back_on_an_empty_host(
    workbench: Workbench, owner: Person, tmp_path: Path
) -> None:
    for number in range(5):
        give_data(workbench, owner, f"set{number}")
    _, text = workbench.accounts.create_key(owner, "script")
    workbench.secrets.put(owner, "HF_TOKEN", "hf_planted")
    stop = threading.Event()

    def load() -> None:
        number = 0
        while not stop.is_set():
            give_data(workbench, owner, f"moving{number}")
            workbench.jobs.submit(owner, "prepare", {"dataset": f"moving{number}"})
            workbench.datasets.remove(owner, f"moving{number}")
            number += 1

    mover = threading.Thread(target=load)
    mover.start()
    try:
        backup(workbench.settings, tmp_path / "backup.tar")
    finally:
        stop.set()
        mover.join()
    assert (tmp_path / "backup.tar").stat().st_mode & 0o077 == 0
    elsewhere = tmp_path / "elsewhere"
    restore(tmp_path / "backup.tar", settings(elsewhere))
    with opened(elsewhere) as back:
        person = back.accounts.person_of_token(back.accounts.sign_in("li", PASSWORD))
        assert person == back.accounts.person_of_key(text)
        assert person is not None
        rows = back.datasets.list(person)
        assert {f"set{number}" for number in range(5)} <= {row.name for row in rows}
        for row in rows:
            assert len(back.datasets.load(person, row.name)) == 40
        for job in back.jobs.page(person).jobs:
            assert back.jobs.folder_of(job).is_dir()
        assert back.secrets.names(person) == ["HF_TOKEN"]


def test_a_knowledge_base_is_searched_after_a_restore(workbench: Workbench, owner: Person, tmp_path: Path) -> None:
    base = workbench.knowledge.create(owner, "rules", title="House rules")
    base.add([("house.txt", b"Rule 1. The gate opens at seven."), ("yard.txt", b"Rule 2. The yard is swept daily.")])
    import_batch(base, [arrive(base, "broken.pdf", b"%PDF-1.7 nothing")])
    waiting = arrive(base, "later.txt", b"Rule 3. The lamp is lit at dusk.")
    before = [hit.passage for hit in workbench.knowledge.look(owner, "rules", "when does the gate open").hits]
    counts = backup(workbench.settings, tmp_path / "backup.tar")
    elsewhere = tmp_path / "elsewhere"
    assert restore(tmp_path / "backup.tar", settings(elsewhere)) == counts
    with opened(elsewhere) as back:
        person = back.accounts.person_of_token(back.accounts.sign_in("li", PASSWORD))
        assert person is not None
        restored = back.knowledge.get(person, "rules")
        assert restored.title == "House rules"
        assert restored.check() == []
        assert [hit.passage for hit in back.knowledge.look(person, "rules", "when does the gate open").hits] == before
        document = before[0].document
        assert back.knowledge.original(person, "rules", document).read_bytes() == b"Rule 1. The gate opens at seven."
        assert [one.state for one in back.knowledge.arrivals(person, "rules")] == ["failed", "waiting"]
        import_batch(restored, [one for one in back.knowledge.arrivals(person, "rules") if one.id == waiting.id])
        assert "dusk" in back.knowledge.look(person, "rules", "lamp lit").hits[0].passage.text


def test_a_backup_whose_bytes_changed_is_refused_and_leaves_nothing(
    workbench: Workbench, owner: Person, tmp_path: Path
) -> None:
    give_data(workbench, owner)
    file = tmp_path / "backup.tar"
    backup(workbench.settings, file)
    content = bytearray(file.read_bytes())
    at = content.index(b"Case 7")
    content[at] ^= 1
    file.write_bytes(content)
    with pytest.raises(CorruptionError, match="datasets/"):
        restore(file, settings(tmp_path / "new"))
    assert not (tmp_path / "new").exists()
    with pytest.raises(RunError):
        restore(file, workbench.settings)


def test_nothing_is_written_outside(tmp_path: Path) -> None:
    bad = tmp_path / "bad.tar"
    (tmp_path / "x").write_text("x")
    with tarfile.open(bad, "w") as archive:
        archive.add(tmp_path / "x", "../outside")
    with pytest.raises(CorruptionError):
        restore(bad, settings(tmp_path / "new"))
    assert not (tmp_path / "outside").exists()
