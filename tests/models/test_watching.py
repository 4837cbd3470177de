"""How far a download is, by the folder it grows in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from metier.core.events import EventLog
from metier.models import watching
from metier.models.watching import watched


def test_bytes_are_told_as_they_come_and_the_whole_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_PAUSE_SECONDS", 0.01)
    told: list[dict[str, Any]] = []
    with watched(tmp_path, 1000, EventLog(None, (told.append,))):
        (tmp_path / "part").write_bytes(bytes(400))
        end = time.monotonic() + 5
        while not any(one["step"] == 400 for one in told) and time.monotonic() < end:
            time.sleep(0.01)
    assert [one for one in told if (one["step"], one["total"], one["unit"]) == (400, 1000, "bytes")]
    assert told[-1]["step"] == 1000


def test_a_download_that_fails_is_not_told_as_whole(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    with pytest.raises(ConnectionError), watched(tmp_path, 1000, EventLog(None, (told.append,))):
        raise ConnectionError
    assert all(one["step"] != 1000 for one in told)
