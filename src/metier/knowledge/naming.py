"""Laws and their articles by name: as people write them, as statutes print them, and whether two mean the same one."""

from __future__ import annotations

import re

from metier.core.numerals import number, numeral

_STATE = "中华人民共和国"
_EDITION = re.compile(r"[（(][^（）()]*(?:修正|修订|年|公布|\d{4})[^（）()]*[）)]$")
_NUMBER = r"[0-9０-９〇零一二三四五六七八九十百千两]+"
_ARTICLE = re.compile(rf"第?\s*({_NUMBER})\s*条\s*(?:之\s*({_NUMBER}))?")


def short_name(law: str) -> str:
    """A law's name as people say it: without 《》 and `中华人民共和国`; `（2018修正）` stays, as it names a version."""
    name = re.sub(r"[《》〈〉<>\s　]", "", law) if re.search(r"[\u3400-\u9fff]", law) else law.strip()
    return name.removeprefix(_STATE) or name


def law_name(law: str) -> str:
    """The short name without the version: what all versions of a law are called."""
    return _EDITION.sub("", short_name(law))


def law_names(law: str) -> tuple[str, ...]:
    """The ways in which documents may title the law, the short one first."""
    name = law_name(law)
    return tuple(dict.fromkeys((name, _STATE + name, law.strip())))


def same_law(one: str, other: str) -> bool:
    """Whether two titles name the same law."""
    return bool(law_name(one)) and law_name(one) == law_name(other)


def article_name(text: str) -> str:
    """An article as statutes print it: `44`, `第44条` and `四十四条` are `第四十四条`; empty where there is none."""
    found = _ARTICLE.search(text) or _ARTICLE.search(f"第{text.strip()}条")
    if not found:
        return ""
    whole, part = number(found[1]), number(found[2]) if found[2] else None
    if whole is None:
        return ""
    return f"第{numeral(int(whole))}条" + (f"之{numeral(int(part))}" if part is not None else "")


def article_forms(article: str) -> tuple[str, ...]:
    """An article as it is given and as statutes print it."""
    return tuple(dict.fromkeys(filter(None, (article, article_name(article)))))
