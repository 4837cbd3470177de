"""Ranks become scores; citations are read from answers as they were kept."""

from __future__ import annotations

import math

import pytest

from metier.evaluate.citing import names_of, read_citations, refuses, source_name
from metier.evaluate.retrieval import ndcg_at, recall_at, reciprocal_rank

RANKED = [{"a"}, {"b", "x"}, {"b"}, {"c"}]


def test_recall_reciprocal_rank_and_gain_by_hand() -> None:
    assert recall_at(RANKED, {"b", "c", "z"}, 3) == pytest.approx(1 / 3)
    assert recall_at(RANKED, {"b", "c", "z"}, 4) == pytest.approx(2 / 3)
    assert reciprocal_rank(RANKED, {"c", "b"}, 10) == 0.5
    assert reciprocal_rank(RANKED, {"c"}, 3) == 0.0
    expected = (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3))
    assert ndcg_at(RANKED, {"b", "c"}, 10) == pytest.approx(expected)


def test_a_source_counts_once_however_often_it_is_found() -> None:
    assert ndcg_at([{"b"}, {"b"}], {"b"}, 10) == 1.0
    assert recall_at([{"b"}, {"b"}], {"b", "c"}, 10) == 0.5


def test_a_source_goes_by_its_names() -> None:
    passage = {"id": "f00", "file": "law.txt", "title": "中华人民共和国劳动法", "article": "第四十四条"}
    assert source_name("《劳动法》 第四十四条") in names_of(passage)
    assert source_name("law.txt") in names_of(passage)
    assert source_name("劳动法") not in names_of(passage)


def answer(**changes: object) -> dict[str, object]:
    passage = {"id": "p1", "file": "law.txt", "title": "劳动法", "article": "第四十四条"}
    text = "休息日付二倍 [1]。另见 [2]。"
    return {
        "text": text,
        "mode": "written",
        "evidence": [
            {"number": 1, "kind": "passage", "text": "安排休息日付二倍工资", "passage": passage},
            {"number": 2, "kind": "passage", "text": "其他", "passage": {**passage, "id": "p2", "article": "第九条"}},
            {"number": 3, "kind": "user", "text": "我月薪八千", "passage": None},
        ],
        "citations": [
            {"number": 1, "start": 7, "end": 10, "quote_start": 2, "quote_end": 8, "exact": True},
            {"number": 2, "start": 13, "end": 16, "quote_start": 0, "quote_end": 2, "exact": False},
        ],
        "sentences": [
            {"factual": True, "verdict": "supported"},
            {"factual": True, "verdict": "unsupported"},
            {"factual": False, "verdict": "not_a_claim"},
        ],
        **changes,
    }


def test_citations_are_counted_against_the_gold_sources() -> None:
    gold = {source_name("劳动法 第四十四条"), source_name("劳动合同法 第三十一条")}
    found = read_citations(answer(), gold)
    assert (found.citations, found.gold, found.found, found.wanted) == (2, 1, 1, 2)
    assert (found.sentences, found.supported) == (2, 1)
    assert (found.checked, found.quotes) == (2, 2)


def test_a_quotation_may_be_shown_as_a_block() -> None:
    evidence = [{"number": 1, "kind": "tool", "text": "第一行。\n第二行。", "passage": None}]
    whole = {"number": 1, "start": 18, "end": 21, "quote_start": 0, "quote_end": 9, "exact": True}
    shown = answer(text="> 第一行。\n> 第二行。 [1]", evidence=evidence, citations=[whole])
    assert read_citations(shown, set()).quotes == 1


@pytest.mark.parametrize(
    "citation",
    [
        {"number": 9, "quote_start": 0, "quote_end": 2, "exact": False},
        {"number": 1, "quote_start": 50, "quote_end": 60, "exact": False},
        {"number": 1, "quote_start": 0, "quote_end": 8, "exact": True},
    ],
    ids=["no such evidence", "outside of it", "not in the answer"],
)
def test_a_citation_whose_words_do_not_stand_is_found_out(citation: dict[str, object]) -> None:
    found = read_citations(answer(citations=[{"start": 0, "end": 1, **citation}]), set())
    assert (found.checked, found.quotes) == (1, 0)


def test_refusals_are_marked_or_read() -> None:
    assert refuses({"mode": "abstained", "text": "x"})
    assert not refuses({"mode": "quoted", "text": "没有找到……"})
    assert refuses({"mode": "written", "text": "抱歉，文件中没有找到相关规定。"})
    assert refuses({"mode": "written", "text": "I cannot answer this from the documents."})
    assert not refuses({"mode": "written", "text": "依据第四十四条，按二倍支付。"})
