"""The limitation period, its exception for wages, and counting with dates."""

from __future__ import annotations

from datetime import date

import pytest

from metier.core.errors import ConfigError
from metier.specialists.legal.dates import add, between
from metier.specialists.legal.limitation import limitation

TODAY = date(2026, 11, 28)


def test_wages_have_no_period_while_the_employment_goes_on() -> None:
    period = limitation("wages", TODAY, employed=True)
    assert (period.state, period.last_day) == ("not_running", None)
    assert str(period.articles[0]) == "《劳动争议调解仲裁法》第二十七条第四款"


def test_wages_are_claimed_within_a_year_of_the_end() -> None:
    assert limitation("wages", TODAY, ended=date(2025, 12, 1)).last_day == date(2026, 12, 1)
    assert limitation("wages", TODAY, ended=date(2025, 11, 1)).state == "expired"


def test_other_claims_count_from_when_it_was_known() -> None:
    period = limitation("other", TODAY, employed=True, known=date(2026, 1, 15))
    assert (period.state, period.last_day, period.days_left) == ("open", date(2027, 1, 15), 48)


def test_what_is_not_known_is_asked_for() -> None:
    assert limitation("wages", TODAY).missing == ("employed",)
    assert limitation("wages", TODAY, employed=False).missing == ("ended",)
    assert limitation("other", TODAY, employed=True).missing == ("known",)


def test_a_claim_put_to_the_employer_begins_the_year_anew_but_not_after_its_end() -> None:
    known = date(2025, 3, 3)
    assert limitation("other", TODAY, known=known, interrupted=[date(2026, 2, 27)]).last_day == date(2027, 2, 27)
    late = limitation("other", TODAY, known=known, interrupted=[date(2026, 3, 4)])
    assert (late.state, late.history[-1][0]) == ("expired", "interrupted_too_late")


def test_time_that_stood_still_is_added() -> None:
    period = limitation("other", TODAY, known=date(2026, 1, 1), suspended=[(date(2026, 2, 1), date(2026, 2, 10))])
    assert period.last_day == date(2027, 1, 11)


def test_a_last_day_on_a_weekend_names_both_days() -> None:
    period = limitation("other", date(2026, 11, 29), known=date(2025, 11, 28))
    assert (period.last_day, period.last_day_moved, period.state) == (date(2026, 11, 28), date(2026, 11, 30), "open")


def test_days_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match="cannot go on and have ended"):
        limitation("wages", TODAY, employed=True, ended=date(2025, 1, 1))


def test_months_end_where_they_end() -> None:
    assert add(date(2025, 1, 31), months=1) == date(2025, 2, 28)
    assert add(date(2024, 2, 29), years=1) == date(2025, 2, 28)
    span = between(date(2023, 3, 1), date(2025, 6, 30))
    assert (span.years, span.months, span.days, span.total_days, span.weekdays) == (2, 3, 29, 852, 608)
