"""Quantities in Chinese and English texts."""

from decimal import Decimal

import pytest

from metier.core.quantities import find_quantities, read_quantity, read_unit


@pytest.mark.parametrize(
    ("text", "number", "scale", "unit"),
    [
        ("42.9", "42.9", None, ""),
        ("-3.5%", "-3.5", None, "percent"),
        ("−0.5", "-0.5", None, ""),
        ("minus 3.5 percent", "-3.5", None, "percent"),
        ("(1,234)", "-1234", None, ""),
        ("$(1,234.5)", "-1234.5", None, ""),
        ("$-5", "-5", None, ""),
        ("１，２３４．５", "1234.5", None, ""),
        ("12 345", "12345", None, ""),
        ("1'234", "1234", None, ""),
        ("1.2万亿元", "1.2", 10**12, ""),
        ("3亿", "3", 10**8, ""),
        ("12亿3千万", "12.3", 10**8, ""),
        ("一万二千三百", "12300", None, ""),
        ("三成", "30", None, "percent"),
        ("百分之三十", "30", None, "percent"),
        ("百分之负五", "-5", None, "percent"),
        ("5个百分点", "5", None, "points"),
        ("5-percentage-point", "5", None, "points"),
        ("50 bps", "50", None, "bps"),
        ("2.5x", "2.5", None, "times"),
        ("US$1.2bn", "1.2", 10**9, ""),
        ("$5m", "5", 10**6, ""),
        ("579.9 billion U.S. dollars", "579.9", 10**9, ""),
        ("RMB 3 million", "3", 10**6, ""),
        ("1.5×10⁸", "150000000", None, ""),
        ("45.3\\%", "45.3", None, "percent"),
        ("约 5%", "5", None, "percent"),
        (".5", "0.5", None, ""),
        ("- 5", "-5", None, ""),
        ("$1.2 M", "1.2", 10**6, ""),
        ("1.5个亿", "1.5", 10**8, ""),
        ("百分之百", "100", None, "percent"),
    ],
)
def test_a_text_that_is_one_quantity(text, number, scale, unit):
    found = read_quantity(text)
    assert found is not None
    assert (found.number, found.scale, found.unit) == (Decimal(number), scale, unit)


@pytest.mark.parametrize(
    "text",
    [
        "May 2020",
        "2020-05-03",
        "May 3, 2020",
        "12:30",
        "1.2.3",
        "3rd",
        "第3",
        "一般",
        "Q3",
        "FY2019",
        "12,5",
        "9" * 50,
        "图1",
    ],
)
def test_dates_names_and_ordinals_hold_no_quantity(text):
    assert not [one for one in find_quantities(text) if not one.year]


@pytest.mark.parametrize("text", ["75-84 years", "5m", "12 months", "3 to 4", "Florida", "", "5千克", "COVID-19"])
def test_other_texts_are_no_single_quantity(text):
    assert read_quantity(text) is None


def numbers(text):
    return [str(one.number) for one in find_quantities(text)]


def test_a_comma_of_a_chinese_sentence_groups_no_thousands():
    assert numbers("2019年收入为100，200人参加") == ["2019", "100", "200"]


def test_a_minus_between_figures_is_no_sign():
    assert numbers("34.5 - 30.1 = 4.4") == ["34.5", "30.1", "4.4"]
    assert numbers("Boston (45)") == ["45"]
    assert numbers("- 5 in May\n- 6 in June") == ["5", "6"]
    assert numbers("二〇二四年十一月为三十") == ["30"]


def test_years_and_ranges_are_marked():
    assert [one.year for one in find_quantities("2015-2018: 4.5")] == [True, True, False]
    assert [one.ranged for one in find_quantities("from 3.2 to 4.5, now 5")] == [True, True, False]
    assert [one.ranged for one in find_quantities("增长12.5%至45亿元")] == [False, False]


def test_currencies_are_known_by_sign_and_word():
    assert read_quantity("¥500").currencies == ("CNY", "JPY")
    assert read_quantity("3 million euros").currencies == ("EUR",)
    assert "USD" in read_quantity("$3").currencies


@pytest.mark.parametrize(
    ("name", "scale", "unit"),
    [
        ("亿元", 10**8, ""),
        ("US$ billion", 10**9, ""),
        ("%", None, "percent"),
        ("个百分点", None, "points"),
        ("万辆", 10**4, ""),
        ("$ millions", 10**6, ""),
        ("in thousands", 1000, ""),
        ("people", None, ""),
    ],
)
def test_the_name_of_a_unit_says_scale_and_kind(name, scale, unit):
    found = read_unit(name)
    assert (found.scale, found.unit) == (scale, unit)


def test_long_hostile_texts_are_read_in_a_moment():
    for text in ("1" * 20_000, "1," * 9_000, "(" * 9_000, "- " * 9_000, "一" * 9_000, "1 - " * 5_000, " " * 20_000):
        find_quantities(text)
