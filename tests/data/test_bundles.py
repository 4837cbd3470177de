"""A zip of a table and pictures: unpacked safely, kept under its hash, gone with its name."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path

import pytest

from metier.core.errors import DataError
from metier.core.settings import settings
from metier.data import load_dataset, register_dataset, remove_dataset
from metier.data.bundles import bundles_folder, unpack
from tests.data.writing import PNG

ROW = {"image": "图/a.png", "question": "How high?", "answer": "5"}
TABLE = (json.dumps(ROW, ensure_ascii=False) + "\n").encode()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METIER_HOME", str(tmp_path / "home"))
    settings.cache_clear()


def packed(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def test_a_zip_registers_with_its_pictures_and_removal_leaves_nothing(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", ("set/train.jsonl", TABLE), ("set/图/a.png", PNG), ("set/b.png", PNG),
                     ("README.md", b"x"), ("__MACOSX/set/._a.png", b"x"), ("set/.DS_Store", b"x"))  # fmt: skip
    register_dataset("charts", archive)
    register_dataset("same", archive)
    archive.unlink()
    loaded = load_dataset("charts")
    (picture,) = loaded.conversations[0].messages[0].images
    assert Path(picture.path or "").read_bytes() == PNG
    assert len(list(bundles_folder().rglob("pictures/*"))) == 1  # the same picture once
    remove_dataset("charts")
    assert load_dataset("same").sha256 == loaded.sha256
    remove_dataset("same")
    assert list(bundles_folder().iterdir()) == []


def test_a_zip_is_read_without_a_name_too(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", ("train.jsonl", TABLE), ("图/a.png", PNG))
    assert load_dataset(str(archive)).format == "chart_qa"


def test_what_is_wrong_inside_a_zip_is_told_of_the_zip(tmp_path: Path) -> None:
    lost = packed(tmp_path / "lost.zip", ("train.jsonl", TABLE), ("b.png", PNG))
    other = packed(tmp_path / "other.zip", ("t.csv", b"picture,q,a\nb.png,How high?,5\n"), ("b.png", PNG))
    for archive, said in ((lost, "lost.zip:1, row 1"), (other, "other.zip: unknown set of columns: picture, q, a")):
        for use in (lambda path: register_dataset("charts", path), lambda path: load_dataset(str(path))):
            with pytest.raises(DataError) as caught:
                use(archive)
            assert str(caught.value).startswith(said)
    assert "images=…" in str(caught.value)


def test_names_that_windows_wrote_in_gb18030_are_read(tmp_path: Path) -> None:
    row = {**ROW, "image": "图表/a.png"}
    table = json.dumps(row, ensure_ascii=False).encode()
    archive = packed(tmp_path / "a.zip", ("train.jsonl", table), ("xxxx/a.png", PNG))
    name = "图表/a.png".encode("gb18030")
    archive.write_bytes(archive.read_bytes().replace(b"xxxx/a.png", name))
    assert len(load_dataset(str(archive))) == 1


def test_one_of_several_tables_is_named(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", ("train.jsonl", TABLE), ("val.jsonl", TABLE * 2), ("图/a.png", PNG))
    with pytest.raises(DataError, match=r"several tables \(train.jsonl, val.jsonl\)"):
        register_dataset("charts", archive)
    assert len(register_dataset("charts", archive, table="val.jsonl")) == 2
    with pytest.raises(DataError, match="no such table"):
        register_dataset("other", archive, table="test.jsonl")


def link(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("../evil.png", "leads out"),
        ("/evil.png", "leads out"),
        ("a/../../evil.png", "leads out"),
        ("..\\evil.png", "leads out"),
        ("C:evil.png", "leads out"),
        ("a\nb.png", "leads out"),
        (link("link.png", stat.S_IFLNK), "leads out"),
        (link("pipe.png", stat.S_IFIFO), "leads out"),
        (link("device.png", stat.S_IFCHR), "leads out"),
        ("图/A.png", "twice"),
        ("图/a.png", "twice"),
        ("inner.zip", "neither a table nor a picture"),
        ("page.html", "neither a table nor a picture"),
        ("draw.svg", "neither a table nor a picture"),
        ("note.txt", "neither a table nor a picture"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_attack_31_a_zip_with_one_bad_entry_is_refused_whole(
    name: str | zipfile.ZipInfo, told: str, tmp_path: Path
) -> None:
    archive = packed(tmp_path / "a.zip", ("train.jsonl", TABLE), ("图/a.png", PNG), (name, PNG))
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(DataError, match=told):
        unpack(archive, tmp_path / "out")
    with pytest.raises(DataError, match=told):
        register_dataset("charts", archive)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


def test_attack_32_what_comes_out_is_counted(tmp_path: Path) -> None:
    table, zeros = ("train.jsonl", TABLE), bytes(40 << 20)
    for entries, most, told in (
        ([table, ("图/a.png", PNG), ("z.png", PNG + zeros)], 1 << 30, "larger than 32 MiB"),
        ([table, ("图/a.png", PNG), ("z.png", PNG + zeros)], 1 << 20, "more than 1 MiB"),
        ([("train.jsonl", zeros)], 1 << 20, "more than 1 MiB"),
        ([table, ("图/a.png", zeros[:1000])], 1 << 30, "a.png: no picture"),
    ):
        archive = packed(tmp_path / "a.zip", *entries)
        assert archive.stat().st_size < 100_000
        with pytest.raises(DataError, match=told):
            unpack(archive, tmp_path / "out", most=most)
        assert not (tmp_path / "out").exists()


def test_a_damaged_zip_is_refused_by_a_sentence(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", ("train.jsonl", TABLE), ("图/a.png", PNG))
    content = archive.read_bytes()
    for damaged in (content[:-30], content[:60] + b"\0\0\0\0" + content[64:], b"PK\x03\x04"):
        archive.write_bytes(damaged)
        with pytest.raises(DataError):
            register_dataset("charts", archive)
    assert list(bundles_folder().iterdir()) == []
