"""Naming an article of a law: as people write it, as statutes print it, and whether two names mean the same one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from metier.knowledge.numerals import number, numeral

_NUMBER = r"[0-9０-９〇零一二三四五六七八九十百千两]+"
_ARTICLE = re.compile(rf"第?\s*({_NUMBER})\s*条\s*(?:之\s*({_NUMBER}))?")
_STATE = "中华人民共和国"


@dataclass(frozen=True, slots=True)
class Article:
    """An article of a law. article: as statutes print it (`第四十四条`); clause: paragraph or item, in words."""

    law: str
    article: str
    clause: str = ""

    def __str__(self) -> str:
        return f"《{self.law}》{self.article}{self.clause}"


def article_name(text: str) -> str:
    """An article as statutes print it: `44`, `第44条` and `四十四条` are `第四十四条`; empty where there is none."""
    found = _ARTICLE.search(text) or _ARTICLE.search(f"第{text.strip()}条")
    if not found:
        return ""
    whole, part = number(found[1]), number(found[2]) if found[2] else None
    if whole is None:
        return ""
    return f"第{numeral(int(whole))}条" + (f"之{numeral(int(part))}" if part is not None else "")


def law_name(text: str) -> str:
    """A law's short name: without brackets, the state's name and a year in brackets after it."""
    bare = re.sub(r"[《》〈〉<>\s]", "", text)
    bare = re.sub(r"[（(][^（）()]*(?:修正|修订|年|公布)[^（）()]*[）)]$", "", bare)
    return bare.removeprefix(_STATE)


def law_names(text: str) -> tuple[str, ...]:
    """The ways in which documents may title the law."""
    short = law_name(text)
    return tuple(dict.fromkeys((short, _STATE + short, text.strip())))


def same_law(one: str, other: str) -> bool:
    """Whether two titles name the same law."""
    return bool(law_name(one)) and law_name(one) == law_name(other)
