"""Amounts, periods and tables are read as people write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from metier.core.errors import DataError
from metier.specialists.finance.amounts import find_amounts, read_cell, read_currency, read_scale
from metier.specialists.finance.computing import growth, work_out, yearly_growth
from metier.specialists.finance.gridreading import read_grid
from metier.specialists.finance.periods import Period, find_periods, read_period


@pytest.mark.parametrize(
    ("text", "value", "unit", "scale", "currency"),
    [
        ("营业收入12.5亿元", "12.5", "number", 10**8, "CNY"),
        ("净利润-3,820.5万元", "-3820.5", "number", 10**4, "CNY"),
        ("revenue of RMB 3.2bn", "3.2", "number", 10**9, "CNY"),
        ("a loss of $(1,234.5) million", "-1234.5", "number", 10**6, "USD"),
        ("毛利率下降1.2个百分点", "1.2", "points", None, ""),
        ("up 50 bps", "50", "bps", None, ""),
        ("增长8.3%", "8.3", "percent", None, ""),
        ("5x EBITDA", "5", "multiple", None, ""),
        ("sales of A$ 4.1 million", "4.1", "number", 10**6, "AUD"),
        ("down 30 basis\npoints", "30", "bps", None, ""),
    ],
)
def test_an_amount_keeps_its_unit_scale_and_currency(
    text: str, value: str, unit: str, scale: int | None, currency: str
) -> None:
    [found] = find_amounts(text)
    assert (found.value, found.unit, found.scale, found.currency) == (Decimal(value), unit, scale, currency)


def test_years_dates_and_numbers_of_tables_are_no_amounts() -> None:
    assert find_amounts("见表3：2023年6月30日，FY2023、Q3 2023 (note 12) and September 30, 2019 [4]") == []
    assert find_amounts("our Form 10-K, Forms 8-K and 10-Q, and Form 20-F") == []
    assert [one.full for one in find_amounts("from 10k to 12 million, a 5-million loan")] == [
        10_000,
        12 * 10**6,
        5 * 10**6,
    ]


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2023年上半年", "2023-H1"),
        ("2023年前三季度", "2023-9M"),
        ("2023年第三季度", "2023-Q3"),
        ("2023年6月30日", "2023-06-30"),
        ("2023年度", "2023"),
        ("FY2023", "2023"),
        ("fiscal 2019", "2019"),
        ("FY18", "2018"),
        ("Q3 FY24", "2024-Q3"),
        ("1H23", "2023-H1"),
        ("first quarter of fiscal 2020", "2020-Q1"),
        ("Years Ended September 30, 2019", "2019-09-30"),
    ],
)
def test_periods_become_one_form(text: str, period: str) -> None:
    assert str(read_period(text)) == period


def test_a_year_covers_the_day_that_it_ends_with_and_no_quarter() -> None:
    assert Period(2019).covers(Period(2019, "09-30"))
    assert not Period(2019).covers(Period(2019, "Q4"))
    assert [str(one.period) for one in find_periods("2017,2018 and 2019")] == ["2017", "2018", "2019"]


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("单位：百万元 币种：人民币", 10**6),
        ("单位：元", 1),
        ("RMB’000", 1000),
        ("(in millions)", 10**6),
        ("Notes", None),
    ],
)
def test_a_heading_says_what_a_table_counts_in(text: str, scale: int | None) -> None:
    assert read_scale(text) == scale


def test_a_sign_between_two_figures_is_of_the_second() -> None:
    found = [(str(one.value), one.currency, one.text) for one in find_amounts("Sensors 914 $ 918 and 3.5 billion yuan")]
    assert found == [("914", "", "914"), ("918", "USD", "$ 918"), ("3.5", "CNY", "3.5 billion yuan")]


def test_a_currency_is_a_word_or_sign_of_its_own() -> None:
    assert (read_currency("US$m"), read_currency("RMB'000"), read_currency("单位：百万港元")) == ("USD", "CNY", "HKD")
    assert (read_currency("audited, in neural networks"), read_currency("审计后，in euros")) == ("", "EUR")


def test_cells_are_read_with_brackets_as_a_minus_sign_and_marks_of_notes_left_out() -> None:
    assert read_cell("$(1,234)").value == -1234  # type: ignore[union-attr]
    assert read_cell("3,144(1)").value == 3144  # type: ignore[union-attr]
    assert read_cell("(3.2)%").unit == "percent"  # type: ignore[union-attr]
    assert (read_cell("2019"), read_cell("—"), read_cell("不适用")) == (None, None, None)


def test_a_table_knows_period_scale_and_section_of_each_figure() -> None:
    sheet = read_grid(
        [
            ["", "Fiscal", ""],
            ["", "2019", "2018"],
            ["", "(in millions)", ""],
            ["Transportation:", "", ""],
            ["Sensors", "$ 914", "$ 918"],
            ["Margin (%)", "12.5", "11.0"],
        ]
    )
    first, *_, last = sheet.entries
    assert (first.label, str(first.period), first.amount.full) == ("Transportation / Sensors", "2019", 914_000_000)
    assert (last.amount.unit, str(last.period)) == ("percent", "2018")


def test_a_report_s_own_year_is_what_this_period_means() -> None:
    sheet = read_grid(
        [["项目", "本期", "上年同期"], ["营业收入", "120", "100"]], unit="单位：万元", year=Period(2023, "H1")
    )
    assert [str(entry.period) for entry in sheet.entries] == ["2023-H1", "2022-H1"]


def test_a_working_is_done_again_exactly_and_is_no_code() -> None:
    worked = work_out("($1,496.5 - 1,202.9) / 1,202.9")
    assert (round(worked.value, 6), worked.ratio, len(worked.operands)) == (Decimal("0.244077"), True, 3)
    assert work_out("3 + (13) + 26").value == 16  # as accounts write what is below nothing
    assert work_out("3.8% - 4.0%").value == Decimal("-0.002")
    for bad in ("__import__('os')", "2 ** 9999", "1 / 0", "9" * 600, "a.b", "(" * 200):
        with pytest.raises(DataError):
            work_out(bad)


def test_growth_is_over_the_size_of_what_was() -> None:
    assert growth(Decimal(-5), Decimal(-10)) == 50
    assert growth(Decimal(1), Decimal(0)) is None
    assert yearly_growth(Decimal(121), Decimal(100), 2) == Decimal(10)
