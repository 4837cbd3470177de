"""Numbers read out of answers, and their comparison with the right one."""

from decimal import Decimal

import pytest

from metier.evaluate.numeric import agrees, final_answer, read_number, wanted_quantity, within, within_share


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("The value for 2019 is 579.9.", "579.9"),
        ("Answer: 45.3%", "45.3"),
        ("Answer: 4.4 (34.5 - 30.1)", "4.4"),
        ("The gap: 34.5 - 30.1 = 4.4", "4.4"),
        ("答案：12.5亿元。2019年最高。", "12.5"),
        ("**Answer:** $1.2bn", "1.2"),
        ("so \\boxed{45.3}", "45.3"),
        ("<answer>12</answer>", "12"),
        ("Answer: 3\nNo: Answer: 4", "4"),
        ("In 2018, revenue was 45 and in 2019 it was 50.", "50"),
        ("1. Find the bar.\n2. It reads 7.", "7"),
        ("最终答案是三成", "30"),
        ("It is 2018", "2018"),
    ],
)
def test_the_number_that_an_answer_gives(answer, number):
    assert read_number(answer).number == Decimal(number)


@pytest.mark.parametrize(
    "answer",
    [
        "I cannot tell",
        "between 3 and 4",
        "Answer: 3, 4",
        "从3.2到4.5",
        "rose from 3.2 in 2018 to 4.5 in 2019",
        "Answer: B",
        "",
    ],
)
def test_several_or_no_numbers_are_unreadable(answer):
    assert read_number(answer) is None


def test_a_year_is_read_only_where_a_year_is_asked_for():
    answer = "The peak of 45.2 was in 2018."
    assert read_number(answer).number == Decimal("45.2")
    assert read_number(answer, year=True).number == 2018


EXACT = within(Decimal(0))


def right(answer, gold, unit="", close=EXACT):
    found = read_number(answer)
    return found is not None and agrees(found, wanted_quantity(gold, unit), close)


@pytest.mark.parametrize(
    ("answer", "gold", "unit"),
    [
        ("42.9%", "42.9", ""),
        ("43%", "0.43", ""),
        ("0.43", "43%", ""),
        ("45", "45", "%"),
        ("579.9 billion", "579.9", "billion U.S. dollars"),
        ("$579.9bn", "579.9", "billion U.S. dollars"),
        ("579,900,000,000", "579.9", "billion U.S. dollars"),
        ("5799亿美元", "579.9", "billion U.S. dollars"),
        ("579.9 billion", "579.9", ""),
        ("620 thousand", "620000", ""),
        ("12.5", "12.5", "亿元"),
        ("12.5亿元", "1.25", "十亿元"),
        ("50 bps", "0.5", "个百分点"),
        ("3个百分点", "3", "percentage points"),
        ("2倍", "2", ""),
    ],
)
def test_the_same_in_another_form_is_right(answer, gold, unit):
    assert right(answer, gold, unit)


@pytest.mark.parametrize(
    ("answer", "gold", "unit"),
    [
        ("3%", "3", "个百分点"),
        ("3个百分点", "3", "%"),
        ("12.5万元", "12.5", "亿元"),
        ("579.9 million", "579.9", "billion U.S. dollars"),
        ("€579.9 billion", "579.9", "US$ billion"),
        ("-5", "5", ""),
        ("4.3", "43%", ""),
    ],
)
def test_another_unit_scale_currency_or_sign_is_wrong(answer, gold, unit):
    assert not right(answer, gold, unit)


def test_closeness_is_measured_in_the_unit_of_the_right_answer():
    assert right("12.6亿元", "12.5", "亿元", within(Decimal("0.1")))
    assert not right("12.7亿元", "12.5", "亿元", within(Decimal("0.1")))
    assert right("105", "100", close=within_share(Decimal("0.05")))
    assert not right("106", "100", close=within_share(Decimal("0.05")))
    assert not right("0.1", "0", close=within_share(Decimal("0.05")))


def test_the_last_statement_is_the_final_answer():
    assert final_answer("Answer: Brazil. No, wait.\nAnswer: China") == "China"
    assert final_answer("China") == "China"
    assert final_answer("24%高于21%。\n答案：是") == "是"
    assert final_answer("答案是：上升。") == final_answer("答案：上升") == "上升"
    assert final_answer("The answer is: no.") == "no"
