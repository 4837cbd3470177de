"""Wrong digits, units and periods are flagged; right figures are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.finance_check import cases, plant

from metier.specialists.finance.checking import Statement, check, stated_of
from metier.specialists.finance.evidence import Evidence
from metier.specialists.finance.gridreading import read_grid

SALES = Evidence(
    [
        read_grid(
            [
                ["", "2019", "2018", "2017"],
                ["Fixed Price", "$ 1,452.4", "$ 1,146.2", "$ 1,036.9"],
                ["Other", "44.1", "56.7", "70.8"],
                ["Total sales", "$1,496.5", "$1,202.9", "$1,107.7"],
            ],
            near=["The table below presents total net sales by contract type (in millions):"],
        )
    ],
    ["Backlog was $2.3 million, $2.1 million and $1.9 million for 2019, 2018 and 2017, respectively."],
)


@pytest.mark.parametrize(
    ("text", "value", "unit", "working", "problem"),
    [
        ("Total sales in 2019", "$1,496.5", "million", "", None),
        ("Total sales in 2019", "$1,469.5", "million", "", "value"),
        ("Total sales in 2019", "1,496.5", "billion", "", "unit"),
        ("Total sales in 2018", "1,496.5", "million", "", "period"),
        ("Backlog in 2018", "$2.1 million", "", "", None),
        ("Backlog in 2017", "$2.1 million", "", "", "period"),
        ("Change in Other in 2019 from 2018", "-22.22", "percent", "(44.1-56.7)/56.7", None),
        ("Change in Other in 2019 from 2018", "-22.23", "percent", "(44.1-56.7)/56.7", "value"),
        ("Change in Other in 2019 from 2017", "-22.22", "percent", "(44.1-56.7)/56.7", "period"),
        ("Change in Other in 2019 from 2018", "-12.6", "million", "44.1-56.7", None),
        ("Change in Other in 2019 from 2018", "-12.6", "thousand", "44.1-56.7", "unit"),
        ("Change in Other in 2019 from 2018", "-22.22", "percent", "(44.1-57.6)/57.6", "value"),
        ("Change in Other in 2019 from 2018", "-23.44", "percent", "(44.1-57.6)/57.6", "working"),
        ("Other decreased in 2019 from 2018 by", "22.2", "percent", "", None),
        ("Other decreased in 2019 from 2018 by", "22.2", "percentage points", "", "unsupported"),
    ],
)
def test_a_figure_is_checked_by_digit_unit_and_period(
    text: str, value: str, unit: str, working: str, problem: str | None
) -> None:
    stated = stated_of(value, unit=unit, working=working)
    assert stated
    flags = check([Statement(text, (stated,))], SALES)
    assert [flag.problem for flag in flags] == ([problem] if problem else [])


def test_figures_of_a_plain_sentence_are_read_from_it() -> None:
    flags = check(["Total sales were $1,496.5 million in 2019.", "Total sales were $1,496.6 million in 2019."], SALES)
    assert [(flag.statement, flag.problem, flag.found) for flag in flags] == [(1, "value", "$1,496.5")]


@pytest.mark.slow
def test_the_bench_s_bars_hold_on_a_part_of_tat_qa(shared_data: Path) -> None:
    import random

    path = shared_data / "finance/tatqa_dev.jsonl"
    found = cases(path, "tune", working=True)[:150]
    false = sum(bool(check([one.statement], one.evidence)) for one in found)
    rng = random.Random(1)
    planted = [
        (one, wrong) for one in found for kind in ("digit", "unit", "period") if (wrong := plant(one, kind, rng))
    ]
    caught = sum(bool(check([wrong], one.evidence)) for one, wrong in planted)
    assert false <= 0.1 * len(found)
    assert caught >= 0.9 * len(planted)
