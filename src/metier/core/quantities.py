"""Quantities in texts: value, unit, scale and currency, in Chinese and English, exact as decimals.

Units that look alike are kept apart: `5%` are percent, `5个百分点` are points, `50 bps` are basis points, `2倍` is a
multiple. Dates, clock times and numbers of pages, figures and list items are no quantities; a bare year is marked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from metier.core.numerals import number as numeral_value

Unit = Literal["", "percent", "points", "bps", "times"]

SCALES = {
    "万亿": 10**12, "千亿": 10**11, "百亿": 10**10, "十亿": 10**9, "亿": 10**8, "千万": 10**7, "百万": 10**6,
    "十万": 10**5, "万": 10**4, "千": 10**3,
    "trillion": 10**12, "billion": 10**9, "million": 10**6, "thousand": 10**3, "hundred": 100,
    "tn": 10**12, "bn": 10**9, "bln": 10**9, "mn": 10**6, "mln": 10**6, "mm": 10**6, "k": 10**3, "m": 10**6, "b": 10**9,
}  # fmt: skip
UNITS: dict[str, Unit] = {
    "%": "percent", "percent": "percent", "per cent": "percent", "pct": "percent",
    "个百分点": "points", "百分点": "points", "percentage point": "points", "percentage points": "points",
    "pp": "points", "pps": "points", "ppt": "points", "ppts": "points", "pct pts": "points", "pct points": "points",
    "bp": "bps", "bps": "bps", "basis point": "bps", "basis points": "bps", "个基点": "bps", "基点": "bps",
    "倍": "times", "times": "times", "x": "times",
}  # fmt: skip
_DOLLARS = ("USD", "HKD", "AUD", "CAD", "SGD", "TWD", "NZD")
CURRENCIES: dict[str, tuple[str, ...]] = {
    "us$": ("USD",), "u.s. dollars": ("USD",), "u.s. dollar": ("USD",), "us dollars": ("USD",), "usd": ("USD",),
    "美元": ("USD",), "hk$": ("HKD",), "hkd": ("HKD",), "港元": ("HKD",), "港币": ("HKD",),
    "nt$": ("TWD",), "twd": ("TWD",), "新台币": ("TWD",), "a$": ("AUD",), "aud": ("AUD",),
    "c$": ("CAD",), "cad": ("CAD",), "s$": ("SGD",), "sgd": ("SGD",),
    "$": _DOLLARS, "dollars": _DOLLARS, "dollar": _DOLLARS,
    "人民币": ("CNY",), "rmb": ("CNY",), "cny": ("CNY",), "yuan": ("CNY",), "renminbi": ("CNY",),
    "元": ("CNY", *_DOLLARS),
    "¥": ("CNY", "JPY"), "日元": ("JPY",), "jpy": ("JPY",), "yen": ("JPY",), "€": ("EUR",), "eur": ("EUR",),
    "euros": ("EUR",), "euro": ("EUR",), "欧元": ("EUR",), "£": ("GBP",), "gbp": ("GBP",), "pounds": ("GBP",),
    "英镑": ("GBP",),
    "chf": ("CHF",), "瑞士法郎": ("CHF",), "₹": ("INR",), "inr": ("INR",), "rupees": ("INR",), "卢比": ("INR",),
    "₩": ("KRW",), "krw": ("KRW",), "韩元": ("KRW",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity as written.

    number: with its sign, before its scale; scale: what it is counted in, None where no word says so; currencies: the
    ISO 4217 codes that the sign may mean, none where there is no sign; year: four digits that may be a year; ranged:
    one end of `3.2–4.5`, `3.2 to 4.5`, `3.2 and 4.5`; start, end: where it stands in the plain text.
    """

    number: Decimal
    unit: Unit = ""
    scale: int | None = None
    currencies: tuple[str, ...] = ()
    year: bool = False
    ranged: bool = False
    start: int = 0
    end: int = 0

    @property
    def value(self) -> Decimal:
        """In ones of its unit."""
        return self.number * (self.scale or 1)

    @property
    def decimals(self) -> int:
        """Digits behind the point, as written."""
        exponent = self.number.as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else 0


def any_of(known: Iterable[str]) -> str:
    """A pattern of words, the longest first; what is written apart may be hyphenated or broken over lines."""
    return "|".join(re.escape(word).replace(r"\ ", r"[\s-]+") for word in sorted(known, key=len, reverse=True))


_SIGNS = [word for word in CURRENCIES if not word.isascii() or not word.isalpha() or word in ("usd", "rmb", "cny")]
BEFORE = any_of([*(word for word in _SIGNS if word != "元"), "hkd", "eur", "gbp", "jpy", "chf", "inr", "krw"])
_ATTACHED = "k|m|b"  # letters that are a scale only directly behind the digits
_SCALE = any_of([word for word in SCALES if word not in ("k", "m", "b", "mm", "千")]) + "|千(?![克米瓦卡赫升])"
_DIGITS = r"(?:\d{1,3}(?:[,'’\x20]\d{3})++(?!\d)|\d++)(?:\.\d++)?+|\.\d++"
_CHINESE = "[零〇一二三四五六七八九十百千万亿两][零〇一二三四五六七八九十百千万亿两点]*"
_QUANTITY = re.compile(
    rf"""
    (?P<minus>(?<![\w)%])[-−–—]\s?|(?<![\w)%])\+\s?|负|\b(?:minus|negative)\s+)?
    (?P<hundredth>百分之\s*(?P<minus2>负)?)?
    (?P<open>\(\s*)?
    (?:(?P<before>(?<![A-Za-z]){BEFORE})\s*(?P<minus3>[-−–]\s?)?(?P<open2>\(\s*)?)?
    (?:
      (?<![A-Za-z_])(?<!\d)(?<!\d[.,:/])(?<!第)(?P<digits>{_DIGITS})(?!\d|[.,:/]\d)(?P<power>e[-+]?\d{{1,2}}(?!\w)|\s*[×x*]\s*10\s*\^\s*\(?-?\d{{1,2}}\)?)?
    | (?<![第零〇一二三四五六七八九十百千万亿两])(?P<chinese>{_CHINESE})(?![零〇一二三四五六七八九十百千万亿两])
    )
    (?!st\b|nd\b|rd\b|th\b)
    (?P<share>成(?![立为本功交都了]))?
    (?:\s?(?P<attached>{_ATTACHED})(?![A-Za-z0-9])|[\s-]?个?(?P<scale>{_SCALE})(?![A-Za-z])(?!分[点之]))?
    (?:\s*-?(?P<unit>{any_of(UNITS)})(?![A-Za-z0-9]))?
    (?:\s*(?:多|余|of\s+)?(?P<after>{any_of(CURRENCIES)})(?![A-Za-z]))?
    (?P<close>\s*\))?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATES = re.compile(
    rf"""
      \b(?:19|20)\d\d\s*[-/.]\s*\d{{1,2}}\s*[-/.]\s*\d{{1,2}}\b
    | \b\d{{1,2}}\s*/\s*\d{{1,2}}\s*/\s*(?:19|20)?\d\d\b
    | (?:19|20)?\d\d\s*年\s*\d{{1,2}}\s*月(?:\s*\d{{1,2}}\s*[日号])?
    | [一二三四五六七八九十]{{1,3}}\s*月(?:\s*[一二三四五六七八九十]{{1,3}}\s*[日号])?
    | [零〇一二三四五六七八九]{{4}}\s*年
    | \b(?:19|20)\d\d\s*[-–/]\s*\d\d\b(?!\s*[-–/\d])
    | (?<!\d)\d{{1,2}}\s*月(?:\s*\d{{1,2}}\s*[日号])?
    | \b{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?!\d)(?:,?\s+(?:19|20)\d\d)?
    | \b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?![a-z])(?:,?\s+(?:19|20)\d\d)?
    | \b{_MONTH},?\s+(?:19|20)\d\d\b
    | \b[QHqh][1-4]\b | (?:第\s*)?[1-4一二三四]\s*季度 | \b[1-4]Q(?:\d\d)?\b
    | \b\d{{1,2}}:\d\d(?::\d\d)?\b
    | \b(?:fig(?:ure)?|table|step|note|page|chart|option|item|line|row|column)s?\.?\s*\#?\d+\b
    | [图表]\s*\d+ | 第\s*\d+\s*[^\W\d]
    | ^[ \t]*\(?\d{{1,2}}[.)、](?=\s|[^\W\d])
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_BRACKET_LEAD = re.compile(r"(?:^|[:=|;$€£¥≈]|\b(?:is|was|of|by)|[为是])\s*$", re.IGNORECASE)
_BETWEEN = re.compile(r"\s*(?:[-−–—~～]{1,2}|至|到|to|and|与|和)\s*(?:[$€£¥]\s*)?", re.IGNORECASE)
_MARKUP = re.compile(r"\*\*|__|`|\\[,;!]|\\(?:text|mathrm|mathbf|textbf)\b|(?<=\\text)[{}]")
_FORMULA = re.compile(r"\$([^$\s](?:[^$\n]{0,60}[^$\s])?)\$(?!\d)")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_MOST_DIGITS = 40


def plain(text: str) -> str:
    """Full-width forms made plain, markup of Markdown and formulas removed."""
    text = re.sub("(?<![０-９])，|，(?![０-９])", "；", text)  # a comma between figures of usual width ends a clause
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda match: "^" + match[0].translate(_SUPERSCRIPTS), text)
    text = unicodedata.normalize("NFKC", text).replace("\\%", "%").replace("\\$", "$").replace("\\times", "×")
    return _MARKUP.sub("", _FORMULA.sub(r"\1", text))


def find_quantities(text: str) -> list[Quantity]:
    """The quantities of a text, in its order. Places are those in `plain(text)`."""
    return quantities_in(plain(text))


def quantities_in(text: str) -> list[Quantity]:
    """As `find_quantities`, of a text that is plain already."""
    masked = _DATES.sub(lambda match: " " * len(match[0]), text)
    found = [one for match in _QUANTITY.finditer(masked) if (one := _quantity(match, text.strip()))]
    return _with_ranges(_joined(found), text)


def read_quantity(text: str) -> Quantity | None:
    """The quantity that a text is, and nothing else: `42.9`, `$1.2bn`, `三成`, `(1,234)`, `约 5%`. None for others."""
    bare = plain(text).strip().rstrip("。.;；").removeprefix("约").removeprefix("~").strip()
    found = quantities_in(bare)
    if len(found) != 1 or bare[: found[0].start].strip() or bare[found[0].end :].strip():
        return None
    return found[0]


def read_unit(text: str) -> Quantity:
    """What a unit's name says: `亿元`, `US$ billion`, `%`, `个百分点`, `million tonnes`, as a quantity of one."""
    found = quantities_in(f"1 {plain(text).strip().strip('()')}")
    one = found[0] if found else Quantity(Decimal(1))
    words = plain(text).casefold()
    scale = one.scale or next((size for word, size in SCALES.items() if _is_word(word, words)), None)
    currencies = one.currencies or next((codes for word, codes in CURRENCIES.items() if _is_word(word, words)), ())
    return replace(one, number=Decimal(1), scale=scale, currencies=currencies)


def _is_word(word: str, text: str) -> bool:
    if not word.isascii():
        return word in text
    return len(word) > 1 and re.search(rf"(?<![a-z]){re.escape(word)}s?(?![a-z])", text) is not None


def _quantity(match: re.Match[str], alone: str) -> Quantity | None:
    number = _number(match, alone)
    if number is None:
        return None
    start, end = match.span()
    opened, closed = match["open"] or match["open2"], match["close"]
    if match["open"] and not closed:
        start = match.end("open")  # an aside that goes on: `(34.5 in 2019)`
    if closed and not opened:
        end = match.start("close")
    negative = bool(match["minus2"] or match["minus3"]) or _is_minus(match)
    if opened and closed and not negative:
        negative = _BRACKET_LEAD.search(_before(match, "open" if match["open"] else "open2")) is not None
    scale, unit, before = match["scale"] or match["attached"], match["unit"], match["before"]
    if match["attached"] and match["attached"].lower() in "mb" and not (before or match["attached"].isupper()):
        scale, end = None, match.end("digits")  # `5m` is a length; `$5m` and `5M` are millions
    kind: Unit = "percent" if match["hundredth"] or match["share"] else UNITS[folded(unit)] if unit else ""
    currency = folded(match["after"] or "") or folded(before or "")
    start += len(match.string[start:end]) - len(match.string[start:end].lstrip())
    written = match["digits"] or ""
    return Quantity(
        number=-number if negative else number,
        unit=kind,
        scale=SCALES[folded(scale)] if scale else None,
        currencies=CURRENCIES.get(currency, ()),
        year=not (scale or kind or currency or negative) and re.fullmatch(r"(?:19|20)\d\d", written) is not None,
        start=start,
        end=end,
    )


def _is_minus(match: re.Match[str]) -> bool:
    """Whether the sign before is one: `- 5` is where it is all there is, not in a list or in `34.5 - 30.1`."""
    sign = match["minus"] or ""
    apart = sign[-1:].isspace() and not sign[0].isalpha() and match.string.strip() != match[0].strip()
    return bool(sign) and "+" not in sign and not apart


def _before(match: re.Match[str], group: str) -> str:
    """The few characters before a part of the match."""
    return match.string[max(0, match.start(group) - 8) : match.start(group)]


def folded(words: str) -> str:
    """Words as the tables have them."""
    return " ".join(words.lower().replace("-", " ").split())


def _number(match: re.Match[str], alone: str) -> Decimal | None:
    if digits := match["digits"]:
        if len(digits) > _MOST_DIGITS:
            return None
        value = Decimal(re.sub("[,'’ ]", "", digits))
        if power := re.search(r"(-?\d+)\)?$", match["power"] or ""):
            value *= Decimal(10) ** int(power[1])
        return value * 10 if match["share"] else value
    written = match["chinese"]
    # One character alone is mostly a word (`一般`, `第三`): it counts with a unit, or where it is the whole text.
    marked = match["hundredth"] or match["share"] or match["unit"] or match["after"] or match["scale"]
    if len(written) > _MOST_DIGITS or (len(written) < 2 and not marked and written != alone):
        return None
    value_of = numeral_value(written)
    return value_of * 10 if value_of is not None and match["share"] else value_of


def _joined(found: list[Quantity]) -> list[Quantity]:
    """`12亿3千万` is one quantity."""
    made: list[Quantity] = []
    for one in found:
        last = made[-1] if made else None
        if last and last.scale and last.end == one.start and one.scale and one.scale < last.scale and one.number > 0:
            number = (last.value + one.value) / last.scale
            made[-1] = replace(one, number=number, scale=last.scale, start=last.start)
        else:
            made.append(one)
    return made


def _with_ranges(found: list[Quantity], text: str) -> list[Quantity]:
    ends: set[int] = set()
    for at, (left, right) in enumerate(pairwise(found)):
        between = text[left.end : right.start]
        if (
            left.year == right.year
            and left.unit in ("", right.unit)
            and between.strip()
            and _BETWEEN.fullmatch(between)
        ):
            ends |= {at, at + 1}
    return [replace(one, ranged=True) if at in ends else one for at, one in enumerate(found)]
