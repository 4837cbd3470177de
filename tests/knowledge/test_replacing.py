"""A statute is replaced while others search: nobody sees both versions or neither."""

from __future__ import annotations

import threading
from pathlib import Path

from metier.knowledge.index import PassageIndex
from metier.knowledge.passage import Filters
from tests.knowledge.support import LAW, law

ID = "茶馆管理条例"
MINE = Filters("local")


def version(number: int) -> str:
    return LAW.replace("隔夜的茶", f"隔夜的茶{number}号")


def test_no_search_sees_both_versions_or_neither_while_one_takes_the_others_place(tmp_path: Path) -> None:
    index = PassageIndex.open(tmp_path / "index")
    index.replace_many({ID: law(text=version(0)), "别的条例": law("别的条例")})
    seen: list[list[str]] = []
    stop = threading.Event()

    def search() -> None:
        mine = PassageIndex.open(tmp_path / "index")  # as another process would
        while not stop.is_set():
            hits = mine.search("隔夜的茶", Filters("local", documents=(ID,), article="第二条"))
            seen.append([hit.passage.text for hit in hits])

    users = [threading.Thread(target=search) for _ in range(4)]
    for user in users:
        user.start()
    for number in range(1, 9):
        index.replace(ID, law(text=version(number)))
        index.tidy(forget=number % 4 == 0)
    stop.set()
    for user in users:
        user.join()
    assert len(seen) > 10
    assert {len(texts) for texts in seen} == {1}
    assert "8号" in index.passages(ID)[1].text


def test_what_was_replaced_is_gone_from_the_disk_too(tmp_path: Path) -> None:
    index = PassageIndex.open(tmp_path / "index")
    index.replace(ID, law(text=version(1)))
    index.replace(ID, law(text=version(2)))
    assert not any("1号" in hit.passage.text for hit in index.search("隔夜的茶1号", MINE))
    index.tidy(forget=True)
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert "隔夜的茶2号".encode() in stored
    assert "茶1号".encode() not in stored
    assert "茶1".encode() not in stored  # nor as a term


def test_adding_to_an_index_does_not_build_it_anew(tmp_path: Path) -> None:
    index = PassageIndex.open(tmp_path / "index")
    index.replace("甲条例", law("甲条例"))
    files = {path for path in tmp_path.rglob("*") if "_indices" in path.parts and path.is_file()}
    index.replace("乙条例", law("乙条例"))
    assert files == {path for path in tmp_path.rglob("*") if "_indices" in path.parts and path.is_file()}
    assert index.search("乙条例 热水", MINE)[0].passage.document == "乙条例"
    assert index.details()["waiting"] == 5
    index.tidy()
    assert index.details()["waiting"] == 0
