"""Exact match, contains, token F1."""

import pytest

from metier.evaluate.metrics.definition import Pair
from metier.evaluate.metrics.short import measure_contains, measure_correct, measure_exact, plain_tokens, token_f1


@pytest.mark.parametrize(
    ("answer", "gold", "right"),
    [
        ("There are 7 days in a week.", "7", True),
        ("It is 17.", "7", False),
        ("1,000 in total", "1000", True),
        ("约为 3.50％", "3.50%", True),
        ("首先考虑甲状腺功能亢进。", "甲状腺功能亢进", True),
        ("Paris, of course", "PARIS", True),
        ("COVID-19", "19", True),
        ("minus -5 degrees", "-5", True),
        ("5 degrees", "-5", False),
        ("", "7", False),
    ],
)
def test_contains_compares_tokens_not_letters(answer, gold, right):
    assert measure_contains(Pair(answer, "", kind="contains", gold=gold)).value == right


def test_an_open_row_without_gold_answer_is_not_judged():
    assert measure_contains(Pair("anything", "a long reference")).value is None


@pytest.mark.parametrize(
    ("answer", "right"), [("Heart-Attack!", True), ("ＨＥＡＲＴ attack", True), ("a heart attack", False)]
)
def test_exact_match_ignores_form_only(answer, right):
    assert measure_exact(Pair(answer, "heart attack", kind="exact", gold="heart attack")).value == right


def test_token_f1_counts_chinese_characters_one_by_one():
    assert token_f1("多喝水", "多喝热水") == pytest.approx(2 * 3 / 7)
    assert token_f1("", "水") == 0.0
    assert plain_tokens("BP 120/80，血压") == ("bp", "120", "80", "血", "压")


@pytest.mark.parametrize(
    ("kind", "gold", "right"), [("choice", "B", True), ("exact", "b", False), ("contains", "b", True)]
)
def test_correct_goes_by_the_rows_kind(kind, gold, right):
    assert measure_correct(Pair("The answer is B", "", kind=kind, gold=gold)).value == right
