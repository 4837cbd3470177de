"""Numbers are read in either script, by one reader, and written as statutes write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from metier.core.numerals import number, numeral
from metier.specialists.legal.numerals import to_number

READ: dict[str, int | str] = {
    "十": 10, "一千零一": 1001, "一〇一": 101, "二〇二四": 2024, "二十五": 25, "两万五千": 25_000, "三亿": 300_000_000,
    "八千五": 8500, "一万二": 12_000, "八千零五": 8005, "一点五": "1.5", "零点〇五": "0.05",
    "8,000": 8000, "8，000": 8000, "８千": 8000, "8k": 8000, "1.2万": 12_000, "3百": 300, "１０": 10,
}  # fmt: skip


@pytest.mark.parametrize("written", READ)
def test_a_number_is_read(written: str) -> None:
    assert number(written) == Decimal(READ[written])


@pytest.mark.parametrize("text", ["", "条", "一条", "1.2.3", "一点", "点五", "k", "约三"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert number(text) is None


def test_what_is_written_is_read_again() -> None:
    assert [number(numeral(value)) for value in range(10_000)] == list(range(10_000))
    assert (numeral(0), numeral(12), numeral(1010)) == ("零", "十二", "一千零一十")


def test_about_so_many_is_no_two_digit_number() -> None:
    assert (to_number("两三"), to_number("二十三"), to_number("二〇")) == (3, 23, 20)
