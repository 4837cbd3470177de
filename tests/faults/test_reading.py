"""Fault 40: the child that reads a file is killed, meets its limits, or takes too long: that file fails, no other."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from metier.core.errors import DataError
from metier.knowledge import asking
from metier.knowledge.reading import read_document
from tests.knowledge import hostile


def bomb(folder: Path) -> Path:
    file = folder / "bomb.pdf"
    file.write_bytes(hostile.lzw_bomb())
    return file


def good(folder: Path) -> Path:
    file = folder / "good.pdf"
    file.write_bytes(hostile.simple())
    return file


@pytest.mark.parametrize("victim", ["the fork", "the child"])
def test_fault_40_a_killed_reader_fails_its_file_alone(tmp_path: Path, victim: str) -> None:
    slow, fine = bomb(tmp_path), good(tmp_path)
    read_document(fine)  # a warm child waits
    child = psutil.Process(asking._WAITING[-1].process.pid)

    def kill() -> None:
        while not (forks := child.children()):
            time.sleep(0.002)
        os.kill(forks[0].pid if victim == "the fork" else child.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(DataError, match=r"bomb\.pdf was given up"):
        read_document(slow)
    killer.join()
    assert "thirty days" in read_document(fine).text


def test_fault_40_a_reader_that_takes_too_long_is_ended_with_its_fork_and_folder(tmp_path: Path) -> None:
    read_document(good(tmp_path))
    waiting = asking._WAITING[-1]
    forks: list[psutil.Process] = []
    folder = Path(waiting.folder)
    with pytest.raises(DataError, match="longer than"):
        asking.ask("read", name="bomb.pdf", path=str(bomb(tmp_path)), seen={}, seconds=0.05, seconds_a_page=0.0)
    forks += [process for process in psutil.process_iter() if process.pid == waiting.process.pid]
    assert not forks and not folder.exists()
    assert read_document(good(tmp_path)).text


@pytest.mark.slow
def test_fault_40_a_batch_goes_on_behind_a_file_that_eats_memory(tmp_path: Path) -> None:
    (tmp_path / "flate.pdf").write_bytes(hostile.flate_bomb())
    became = []
    for file in (good(tmp_path), tmp_path / "flate.pdf", good(tmp_path)):
        try:
            became.append(read_document(file).text)
        except DataError as error:
            became.append(error.key)
    assert became[0] == became[2] == "The notice period is thirty days."
    assert became[1] in ("knowledge.reading_died", "knowledge.reading_memory", "knowledge.reading_slow")
