"""Passages are found by words, only by their owner, and removed ones not at all."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from metier.core.errors import DataError
from metier.knowledge.index import PassageIndex
from metier.knowledge.passage import Filters
from tests.knowledge.support import LAW, law

MINE = Filters("local")
LAW_ID = "茶馆管理条例"


@pytest.fixture
def index(tmp_path: Path) -> PassageIndex:
    return PassageIndex.open(tmp_path / "index")


def found(index: PassageIndex, text: str, filters: Filters = MINE) -> list[str]:
    return [hit.passage.article for hit in index.search(text, filters)]


def test_a_question_finds_the_article_it_is_about(index: PassageIndex) -> None:
    assert index.search("隔夜的茶", MINE) == []
    index.replace(LAW_ID, law())
    assert found(index, "可以卖隔夜的茶吗？")[0] == "第二条"
    assert found(index, "茶馆管理条例第3条")[0] == "第三条"
    hit = index.search("热水", MINE)[0]
    assert hit.passage == law()[1]
    assert hit.reasons["text_rank"] == 1


def test_the_owner_is_part_of_each_query(index: PassageIndex) -> None:
    index.replace(LAW_ID, law())
    assert found(index, "热水", Filters("someone else")) == []
    assert found(index, "热水", Filters("x' OR owner = 'local")) == []


def test_filters_by_law_article_document_and_date(index: PassageIndex) -> None:
    index.replace_many({name: law(name) for name in ("甲条例", "乙条例")})
    hits = index.search("热水", Filters("local", titles=("《中华人民共和国甲条例》",)))
    assert {hit.passage.document for hit in hits} == {"甲条例"}
    assert {hit.passage.document for hit in index.search("热水", Filters("local", documents=("乙条例",)))} == {"乙条例"}
    assert found(index, "热水 茶馆", Filters("local", article="第一条")) == ["第一条", "第一条"]
    assert found(index, "热水", Filters("local", in_force_on=date(2010, 5, 31))) == []
    assert "第二条" in found(index, "热水", Filters("local", in_force_on=date(2010, 6, 1)))


def test_a_new_version_takes_the_place_of_the_old(index: PassageIndex) -> None:
    index.replace(LAW_ID, law())
    index.replace(LAW_ID, law(text=LAW.replace("热水", "冰块")))
    assert "热水" not in "".join(passage.text for passage in index.passages(LAW_ID))
    assert index.count() == len(index.passages(LAW_ID)) == 5
    assert index.passage(law()[0].id) is not None


def test_the_removed_is_not_found_and_leaves_no_bytes(index: PassageIndex, tmp_path: Path) -> None:
    index.replace_many({name: law(name, LAW.replace("隔夜", name)) for name in ("绿茶条例", "红茶条例")})
    index.remove(["绿茶条例"])
    assert "绿茶条例" not in index.documents()
    index.tidy(forget=True)
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert "红茶条例".encode() in stored
    assert "绿茶".encode() not in stored
    assert index.search("隔夜 红茶", MINE)[0].passage.document == "红茶条例"


def test_vectors_join_in_by_rank_and_must_fit(index: PassageIndex) -> None:
    index.replace(LAW_ID, law(), [[0.0, 1.0]] * 4 + [[1.0, 0.0]])
    hits = index.search("热水", MINE, vector=[1.0, 0.1])
    assert {"text_rank", "dense_rank"} <= {name for hit in hits for name in hit.reasons}
    assert index.search("热水", MINE, vector=[1.0, 0.1], mode="dense")[0].passage.article == "第四条"
    with pytest.raises(DataError, match="3"):
        index.replace("别的条例", law("别的条例"), [[0.0, 1.0, 2.0]] * 5)
