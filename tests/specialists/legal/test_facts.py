"""Reading a conversation: figures, days and evidence with the words they come from, and nothing else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from metier.specialists.legal.facts import read_facts
from tests.specialists.legal.talk import FOLLOW_UP, QUESTION, TODAY


def test_the_walk_through_question_gives_two_figures_and_no_hours() -> None:
    facts = read_facts([QUESTION], TODAY)
    assert (facts.amount("contract_wage"), facts.amount("paid_base")) == (Decimal(8000), Decimal(3000))
    assert facts.amount("period_months") == 12
    assert facts.keys("evidence") == ("attendance", "chat", "contract")
    assert not [fact for fact in facts.found if "hours" in fact.name]


def test_each_fact_names_its_words() -> None:
    for fact in read_facts([QUESTION, FOLLOW_UP], TODAY).found:
        assert (QUESTION, FOLLOW_UP)[fact.message][fact.start : fact.end] == fact.words


def test_a_follow_up_completes_what_was_said_before() -> None:
    facts = read_facts([QUESTION, FOLLOW_UP], TODAY)
    hours = [facts.amount(f"{kind}_hours") for kind in ("weekday", "rest_day", "public_holiday")]
    assert (hours, facts.employed, facts.keys("defence")) == ([360, 192, 24], True, ("agreed_base", "not_approved"))


@pytest.mark.parametrize(
    ("said", "name", "value"),
    [
        ("合同约定月工资一万二", "contract_wage", Decimal(12000)),
        ("每月工资8,500元", "contract_wage", Decimal(8500)),
        ("我的月薪是１．２万", "contract_wage", Decimal(12000)),
        ("加班费只发了500块", "paid", Decimal(500)),
        ("以最低工资2360元", "minimum_wage", Decimal(2360)),
        ("加班费基数是2500元", "paid_base", Decimal(2500)),
        ("2025年6月30日被公司辞退", "ended", date(2025, 6, 30)),
        ("我去年3月入职", "started", date(2025, 3, 1)),
        ("我今年5月8日才知道", "known", date(2026, 5, 8)),
        ("周末一共加班6天", "rest_day_hours", Decimal(48)),
        ("最近半年，平时每周加班4个半小时", "weekday_hours", Decimal(117)),
        ("2024年3月到2025年2月平时每周加班十小时", "weekday_hours", Decimal(520)),
        ("最近一年周末每月加班16小时，其中调休8小时", "rest_day_off_hours", Decimal(96)),
        ("最近一年每月大约平时加班20小时、周末加班16小时", "rest_day_hours", Decimal(192)),
        ("最近一年每月平时加班20小时，国庆加班16小时", "public_holiday_hours", Decimal(16)),
        ("最近一年每月平时加班20小时，去年有一次周末加班16小时", "rest_day_hours", Decimal(16)),
    ],
)
def test_what_people_write(said: str, name: str, value: object) -> None:
    fact = read_facts([said], TODAY).last(name)
    assert fact is not None and fact.value == value


@pytest.mark.parametrize("said", ["每天加班2小时", "最近一年每天晚上加班2小时", "周末每月加班8小时", "2025年加班很多"])
def test_hours_without_their_number_of_times_make_no_total(said: str) -> None:
    facts = read_facts([said], TODAY)
    assert not [fact for fact in facts.found if fact.name.endswith("_hours")]


@pytest.mark.parametrize(
    ("said", "employed"),
    [("我还在职", True), ("没有离职", True), ("上个月我辞职了", False), ("如果我辞职会怎样", None), ("加班很多", None)],
)
def test_whether_the_employment_goes_on(said: str, employed: bool | None) -> None:
    assert read_facts([said], TODAY).employed is employed


def test_evidence_that_is_not_there_is_not_counted() -> None:
    facts = read_facts(["没有考勤记录，也没签劳动合同，只有工资条"], TODAY)
    assert facts.keys("no_evidence") == ("attendance", "contract") and facts.keys("evidence") == ("payslip",)
