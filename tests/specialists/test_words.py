from __future__ import annotations

from decimal import Decimal

import pytest

from metier.specialists.finding import relevance
from metier.specialists.sentences import is_claim, split_sentences
from metier.specialists.words import figures, measures


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("月薪8,000元，另有八千元和1.2万元", ["8000", "12000"]),
        ("150%、百分之一百五十、1.5倍", ["1.5"]),
        ("第四十四条第二款，第三人", []),
        ("星期六和周五，一般情况", []),
        ("每月3天，十五天，两万五千人", ["3", "15", "25000"]),
        ("Pay 2,500 within 30 days", ["2500", "30"]),
    ],
)
def test_a_figure_is_the_same_however_it_is_written(text: str, values: list[str]) -> None:
    assert figures(text) == {Decimal(value) for value in values}


def test_figures_with_different_units_are_different() -> None:
    assert set(measures("不满二年")) != set(measures("两个月"))
    assert set(measures("三倍")) == set(measures("300%"))


def test_sentences_end_with_their_marks_and_join_to_the_text() -> None:
    text = "工资为1.5倍[1]。应当支付。 [2, 3] 见 Art. 5 of the rules [4]. 1. First.\n“好。”[5] 完"
    assert split_sentences(text) == [
        "工资为1.5倍[1]。",
        "应当支付。 [2, 3] ",
        "见 Art. 5 of the rules [4]. ",
        "1. First.\n",
        "“好。”[5] ",
        "完",
    ]


@pytest.mark.parametrize(
    ("sentence", "claims"),
    [
        ("加班工资不低于百分之一百五十[1]。", True),
        ("建议您在30日内提出申请。", True),
        ("建议您保留考勤记录。", False),
        ("**加班工资的计算**", False),
        ("公司有没有安排补休？", False),
        ("您好，很高兴为您解答。", False),
    ],
)
def test_what_claims_something(sentence: str, claims: bool) -> None:
    assert is_claim(sentence) is claims


def test_a_question_in_peoples_words_is_answered_by_what_statutes_say() -> None:
    passage = "休息日安排工作又不能安排补休的，支付不低于工资的百分之二百；法定休假日安排工作的，百分之三百。"
    assert relevance(["国庆加班给了调休，还付三倍工资吗？"], [passage]) >= 0.4
    assert relevance(["三亚明天天气怎么样？"], [passage]) == 0.0
