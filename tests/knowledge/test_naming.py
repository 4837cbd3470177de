"""One law has many names: which of them mean the same, and how an article is printed."""

from __future__ import annotations

import pytest

from metier.knowledge.naming import article_forms, article_name, law_name, same_law, short_name


def test_a_version_is_part_of_the_short_name_and_none_of_the_laws() -> None:
    title = "《中华人民共和国茶馆法》（2018修正）"
    assert short_name(title) == "茶馆法（2018修正）" and law_name(title) == "茶馆法"
    assert same_law(title, "茶馆法") and not same_law("茶馆法", "茶馆法（草案）") and not same_law("", "")
    assert law_name(" Tea House Act ") == "Tea House Act"


@pytest.mark.parametrize("written", ["44", "第44条", "四十四条", "第 四十四 条"])
def test_an_article_is_named_as_statutes_print_it(written: str) -> None:
    assert article_name(written) == "第四十四条"


def test_an_article_has_the_form_it_was_given_in_and_the_printed_one() -> None:
    assert article_forms("第44条之1") == ("第44条之1", "第四十四条之一")
    assert article_forms("Article 4") == ("Article 4", "第四条")
