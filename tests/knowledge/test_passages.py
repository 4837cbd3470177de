"""Documents become passages by their structure."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from metier.knowledge.document import Heading, Table
from metier.knowledge.passages import split
from tests.knowledge.support import LAW, document, law


def test_a_statute_is_split_by_article_and_carries_law_chapter_and_date() -> None:
    passages = law()
    assert [passage.article for passage in passages] == ["第一条", "第二条", "第三条", "第三条之一", "第四条"]
    assert {passage.title for passage in passages} == {"茶馆管理条例"}
    assert {passage.effective for passage in passages} == {date(2010, 6, 1)}
    assert passages[1].path == ("第一章 总则",)
    assert passages[2].path == ("第二章 客人",)
    assert passages[2].text.endswith("第二条规定的。")  # a broken sentence, not an article


def test_a_passage_is_the_documents_own_text_at_its_offsets() -> None:
    for passage in law():
        assert passage.text == LAW[passage.start : passage.end]


@pytest.mark.parametrize(
    ("name", "articles"), [("劳动法", 107), ("劳动合同法", 98), ("工资支付暂行规定", 20), ("劳动争议调解仲裁法", 54)]
)
def test_the_four_labour_statutes_have_their_articles(shared_data: Path, name: str, articles: int) -> None:
    text = (shared_data / "law" / "statutes" / f"{name}.txt").read_text(encoding="utf-8")
    passages = [passage for passage in split(document(text, f"{name}.txt"), name) if passage.article]
    assert len(passages) == len({passage.article for passage in passages}) == articles
    assert all(passage.effective for passage in passages)


def test_plain_text_is_split_within_the_budget_and_never_across_a_heading() -> None:
    text = "一、水\n" + "水要烧开。" * 30 + "\n二、茶\n" + "茶要新鲜。\n" * 30
    passages = split(document(text), "d", budget=60)
    assert len(passages) > 4
    assert all(len(passage.text) <= 75 for passage in passages)
    assert {passage.path for passage in passages} == {("一、水",), ("二、茶",)}
    assert all("水" not in passage.text or "茶" not in passage.text for passage in passages)


def test_a_table_keeps_its_rows_and_later_pieces_their_header() -> None:
    text = "Prices\nname | price\n" + "".join(f"tea {number} | {number}\n" for number in range(40))
    found = split(document(text, headings=(Heading(0, 6, 1, "Prices"),), tables=(Table(7, len(text)),)), "d", budget=50)
    assert all(row.count("|") == 1 for passage in found for row in passage.text.splitlines())
    assert found[0].path == ("Prices",)
    assert found[1].path == ("Prices", "name | price")
