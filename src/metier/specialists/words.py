"""What a text says, as units that can be compared: pairs of Chinese characters, words of other scripts, figures.

Words that carry no matter of their own (“how”, “please”, 请问, 的) are left out; 八千元, 8,000元 and 8000 元 are one
figure, and so are 150 %, 百分之一百五十 and 1.5倍.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files

from metier.core.numerals import number
from metier.core.yamltext import parse_yaml

_CHINESE = re.compile(r"[㐀-䶿一-鿿]+")
_WORD = re.compile(r"[^\W\d_㐀-䶿一-鿿][^\W_㐀-䶿一-鿿]*(?:['’][^\W\d_]+)?")

_EMPTY = parse_yaml(files("metier.specialists").joinpath("empty_words.yaml").read_text(encoding="utf-8"))
# Longer ones first: 怎么办 before 怎么.
_EMPTY_PATTERN = re.compile("|".join(map(re.escape, sorted(_EMPTY["zh"].split(), key=len, reverse=True))))
_EMPTY_WORDS = frozenset(_EMPTY["en"].split())
_DIGITS = "零〇一二三四五六七八九"
_NUMERAL = f"[{_DIGITS}两十百千万亿]+"
_FIGURE = re.compile(
    rf"(?P<parts>百分之(?:{_NUMERAL}|\d+(?:\.\d+)?))"
    rf"|(?<!星期)(?<!礼拜)(?<![周第])(?P<number>\d[\d,，]*(?:\.\d+)?|{_NUMERAL}(?:点[{_DIGITS}]+)?)\s*(?P<big>万|亿)?"
    r"\s*(?P<unit>[%％倍]|percent\b|times\b)?"
)
_ARTICLE = re.compile(rf"第\s*({_NUMERAL}|\d+)\s*([条款项章节编])(?:之({_NUMERAL}|\d+))?")
_KINDS = {
    "year": ("年", "周年", "year"),
    "month": ("月", "个月", "month"),
    "day": ("日", "天", "day"),
    "hour": ("小时", "hour"),
    "week": ("周", "星期", "week"),
    "share": ("%", "倍", "percent", "time"),
}
_MEASURE = re.compile(
    rf"百分之(?P<parts>{_NUMERAL}|\d+(?:\.\d+)?)"
    rf"|(?P<number>\d[\d,]*(?:\.\d+)?|{_NUMERAL}(?:点[{_DIGITS}]+)?)\s*"
    r"(?P<unit>周年|年|个?月|日|天|小时|周|星期|%|倍|(?:percent|times?|years?|months?|days?|hours?|weeks?)\b)",
    re.IGNORECASE,
)
# A lone numeral character is more often part of a word (一般, 三方) than a figure.
_WITH_UNIT = re.compile(r"\s*(?:年|个?月|日|天|周|小时|分钟|元|万|倍|次|人|名|岁|份|份额|个|%|％)")


@lru_cache(maxsize=4096)
def units(text: str) -> tuple[str, ...]:
    """The units of a text in their order, repeated ones too; figures and numbers of articles not among them."""
    found: list[str] = []
    for run in _CHINESE.findall(_without_empty(text)):
        found += [run] if len(run) == 1 else [run[index : index + 2] for index in range(len(run) - 1)]
    return (*found, *(_stem(word) for word in _words(text)))


def matter(text: str) -> list[str]:
    """The stretches of a text that carry its matter, as a person reads them: 年假 and 天数, not 有多少天的年假."""
    return [run for run in _CHINESE.findall(_without_empty(text)) if len(run) > 1] + _words(text)


def _without_empty(text: str) -> str:
    return _EMPTY_PATTERN.sub(" ", _ARTICLE.sub(" ", unicodedata.normalize("NFKC", text)))


def _words(text: str) -> list[str]:
    """Words of other scripts, in small letters."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return [word for word in _WORD.findall(plain) if word not in _EMPTY_WORDS and len(word) > 1]


@lru_cache(maxsize=4096)
def figures(text: str) -> frozenset[Decimal]:
    """The numbers a text names, shares and multiples as factors; numbers of articles are not among them."""
    plain = _ARTICLE.sub(" ", unicodedata.normalize("NFKC", text))
    found: set[Decimal] = set()
    for match in _FIGURE.finditer(plain):
        if match["parts"]:
            value = number(match["parts"].removeprefix("百分之"))
            unit = "%"
        else:
            raw = match["number"]
            if len(raw) == 1 and not raw.isdigit() and not _WITH_UNIT.match(plain, match.end("number")):
                continue
            value, unit = number(raw), match["unit"] or ""
            if value is not None and match["big"]:
                value *= 10_000 if match["big"] == "万" else 100_000_000
        if value is not None:
            found.add((value / 100 if unit in ("%", "％", "percent") else value).normalize())
    return frozenset(found)


@lru_cache(maxsize=4096)
def measures(text: str) -> dict[tuple[Decimal, str], str]:
    """The figures of a text that have a unit: value and kind of unit (`year`, `month`, `day`, …; shares and multiples
    are `share`) → as written."""
    plain = _ARTICLE.sub(" ", unicodedata.normalize("NFKC", text))
    found: dict[tuple[Decimal, str], str] = {}
    for match in _MEASURE.finditer(plain):
        value = number(match["parts"] or match["number"])
        if value is None:
            continue
        unit = match["unit"] or "%"
        kind = next(kind for kind, names in _KINDS.items() if unit.lower().rstrip("s") in names)
        shared = value / 100 if match["parts"] or unit in ("%", "percent") else value
        found.setdefault((shared.normalize(), kind), match.group().strip())
    return found


def articles(text: str) -> frozenset[str]:
    """The articles a text names, as `44` or `47-1`."""
    named = set()
    for match in _ARTICLE.finditer(unicodedata.normalize("NFKC", text)):
        if match[2] == "条":
            first, second = number(match[1]), number(match[3]) if match[3] else None
            named.add(f"{first}-{second}" if second is not None else f"{first}")
    return frozenset(named)


def _stem(word: str) -> str:
    """The word without the commonest English endings: enough to meet its own plural or past."""
    for ending in ("ations", "ation", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word.removesuffix("e") if len(word) > 4 else word
