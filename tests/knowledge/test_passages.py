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


CASE = """茶叶差价争议案

基本案情
赵某买了十斤茶，只收到九斤。

争议焦点
少的一斤是否要退钱？

处理结果
茶馆退还一斤的价款。
"""

CONTRACT = """供茶合同

甲方：南山茶馆
乙方：北坡茶园

第一条 乙方每月供茶十斤。
第二条 茶叶应当新鲜。
不新鲜的，甲方可以退回。
第三条 本合同一式两份。
"""


def test_a_case_is_split_by_section_under_its_name() -> None:
    passages = split(document(CASE), "d")
    assert {(passage.kind, passage.title) for passage in passages} == {("case", "茶叶差价争议案")}
    sections = {passage.path[-1]: passage.text for passage in passages if passage.path}
    assert sections["处理结果"] == "茶馆退还一斤的价款。"
    assert list(sections) == ["基本案情", "争议焦点", "处理结果"]


def test_a_collection_of_cases_keeps_them_apart() -> None:
    first = "案例一：少了一斤\n基本案情\n甲少收茶。\n处理结果\n退款。\n"
    text = f"{first}案例二：茶凉了\n基本案情\n乙嫌茶凉。\n处理结果\n驳回。\n"
    outcomes = {passage.title: passage.text for passage in split(document(text), "d") if passage.path == ("处理结果",)}
    assert outcomes == {"案例一：少了一斤": "退款。", "案例二：茶凉了": "驳回。"}


def test_a_ruling_without_headings_is_split_where_its_parts_begin() -> None:
    parts = (
        "南山法院民事判决书",
        "原告李某诉称，茶是凉的。",
        "被告南山茶馆辩称，茶是热的。",
        "本院认为，茶是温的。",
        "判决如下：驳回。",
    )
    passages = split(document("\n".join(parts)), "d")
    assert [passage.text for passage in passages] == list(parts)


def test_a_contract_is_split_by_clause() -> None:
    passages = split(document(CONTRACT), "d")
    assert [passage.article for passage in passages] == ["", "第一条", "第二条", "第三条"]
    assert passages[2].text == "第二条 茶叶应当新鲜。\n不新鲜的，甲方可以退回。"
    assert {passage.source for passage in passages[1:2]} == {"供茶合同 第一条"}


def test_the_clauses_of_a_contract_may_be_headings_with_numbers() -> None:
    clauses = "1. Tea\nTwo pounds a week.\n2. Price\nFive a pound.\n3. Term\nOne year.\n"
    text = f"Service agreement\nParty A: Tea House\n{clauses}"
    assert [passage.article for passage in split(document(text), "d")] == ["", "1. Tea", "2. Price", "3. Term"]
