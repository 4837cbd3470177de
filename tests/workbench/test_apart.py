"""Reading in a child: its limits, its end, and that nobody notices when it has to be started anew."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import DataError
from metier.core.i18n import use_language
from metier.workbench import reading
from metier.workbench.apart import Apart, ask


def looked(file: Path, **options: Any) -> Any:
    return {"file": file, "shown_as": "我的.jsonl", "columns": None, "format": None, "skip_bad_rows": False,
            "pictures": file.with_name("pictures.json"), **options}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.jsonl"
    path.write_text('{"instruction": "Is it?", "input": "", "output": "It is."}\n', encoding="utf-8")
    return path


def test_it_answers_and_its_errors_are_in_the_askers_language(file: Path) -> None:
    assert ask("look", **looked(file))["format"] == "alpaca"
    file.write_text("{", encoding="utf-8")
    use_language("zh")
    problem = ask("look", **looked(file))["problem"]
    assert problem.startswith("我的.jsonl:1")
    assert any("\u4e00" <= character <= "\u9fff" for character in problem.removeprefix("我的"))


def test_what_takes_too_long_is_ended(file: Path) -> None:
    with pytest.raises(DataError) as raised:
        ask("look", seconds=0.01, **looked(file))
    assert raised.value.key == "workbench.apart_slow"


def test_a_kept_child_that_ended_is_started_anew(file: Path) -> None:
    kept = Apart(keep=True)
    try:
        kept.ask("look", **looked(file))
        child = kept._child
        assert child is not None
        child.kill()
        time.sleep(0.1)
        assert kept.ask("look", **looked(file))["format"] == "alpaca"
        assert kept._child is not child
    finally:
        kept.close()


def test_of_a_large_file_only_the_first_lines_are_looked_at(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_HEAD_BYTES", 1000)
    file.write_bytes(file.read_bytes() * 20 + b"\xff\xfe\xff" * 1000)
    seen = reading.look(**{**looked(file), "file": str(file)})
    assert (seen["problem"], len(seen["rows"])) == ("", 5)
