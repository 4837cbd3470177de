"""Overtime pay to the cent, and what is said where figures are missing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from metier.core.errors import ConfigError
from metier.specialists.legal.overtime import Hours, overtime_pay


# Worked out apart from the program, in fractions: wage, base used, paid, hours (weekday, rest, holiday, off).
@pytest.mark.parametrize(
    ("wage", "base", "paid", "hours", "due", "difference"),
    [
        ("8000", "3000", None, ("30", "0", "0", "0"), "2068.97", "1293.11"),
        ("8000", "3000", None, ("360", "192", "24", "8"), "45057.47", "28160.92"),
        ("5220", None, "0", ("10", "0", "0", "0"), "450.00", "450.00"),
        ("6525", "2175", None, ("0", "16", "0", "16"), "0.00", "0.00"),
        ("8700", None, "1500", ("36", "16", "8", "0"), "5500.00", "4000.00"),
        ("4350", "4350", None, ("20", "8", "8", "0"), "1750.00", "0.00"),
        ("12345.67", "2360", None, ("123.5", "40", "24", "12"), "22225.75", "17977.07"),
        ("10000", None, "20000", ("100", "10", "8", "0"), "11149.43", "0.00"),
        ("2000", "2000", None, ("10", "10", "0", "0"), "402.30", "0.00"),
        ("7777", "2590", None, ("7.5", "0", "0", "0"), "502.82", "335.36"),
    ],
)
def test_ten_worked_cases_are_right_to_the_cent(
    wage: str, base: str | None, paid: str | None, hours: tuple[str, ...], due: str, difference: str
) -> None:
    pay = overtime_pay(
        Decimal(wage),
        Hours(*map(Decimal, hours)),
        paid_base=Decimal(base) if base else None,
        paid=Decimal(paid) if paid else None,
    )
    assert (pay.due, pay.difference, pay.missing) == (Decimal(due), Decimal(difference), ())
    assert sum(line.due for line in pay.lines) == pay.due


def test_without_hours_an_hour_is_priced_and_nothing_is_added_up() -> None:
    pay = overtime_pay(Decimal(8000), Hours(), paid_base=Decimal(3000))
    assert (pay.due, pay.difference) == (None, None)
    assert pay.missing == ("weekday_hours", "rest_day_hours", "public_holiday_hours")
    assert [rate.short for rate in pay.rates] == [Decimal("43.10"), Decimal("57.47"), Decimal("86.21")]


def test_the_minimum_wage_is_the_least_that_counts() -> None:
    pay = overtime_pay(
        Decimal(1800), Hours(Decimal(10), Decimal(0), Decimal(0)), minimum_wage=Decimal(2200), paid=Decimal(0)
    )
    assert (pay.base.name, pay.due) == ("minimum_wage", Decimal("189.66"))


@pytest.mark.parametrize(("system", "due"), [("standard", "160.92"), ("comprehensive", "120.69"), ("flexible", "0.00")])
def test_other_working_hours_change_what_a_rest_day_is_worth(system: str, due: str) -> None:
    pay = overtime_pay(Decimal(7000), Hours(Decimal(0), Decimal(2), Decimal(0)), hours_system=system)  # type: ignore[arg-type]
    assert pay.due == Decimal(due)


def test_more_time_off_than_rest_days_is_refused() -> None:
    with pytest.raises(ConfigError, match="Time off of 9 hours"):
        overtime_pay(Decimal(8000), Hours(Decimal(0), Decimal(8), Decimal(0), Decimal(9)))
