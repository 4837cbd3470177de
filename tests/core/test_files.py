from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from metier.core.errors import CorruptionError, DataError
from metier.core.files import append_jsonl, read_jsonl, verify_manifest, whole_folder, write_text


def test_a_folder_is_whole_or_absent(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "made") as folder:
        (folder / "half").write_text("x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_one_flipped_byte_is_found_by_name(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "made") as folder:
        (folder / "weights").write_bytes(b"abc")
    verify_manifest(tmp_path / "made")
    (tmp_path / "made" / "weights").write_bytes(b"abd")
    with pytest.raises(CorruptionError, match="weights"):
        verify_manifest(tmp_path / "made")


def test_an_older_folder_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    for text in ("old", "new"):
        with whole_folder(tmp_path / "made") as folder:
            (folder / "a").write_text(text)
    assert (tmp_path / "made" / "a").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_torn_last_line_is_cut_off_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    append_jsonl(path, [{"a": 1}])
    with path.open("a") as target:
        target.write('{"a": 2')
    assert read_jsonl(path) == [{"a": 1}]
    append_jsonl(path, [{"a": 3}])
    assert read_jsonl(path) == [{"a": 1}, {"a": 3}]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    write_text(path, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("metier.core.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_errors_cross_processes() -> None:
    error = pickle.loads(pickle.dumps(DataError("core.file_missing", file="x")))  # noqa: S301
    assert isinstance(error, DataError)
    assert str(error).startswith("x is missing")
