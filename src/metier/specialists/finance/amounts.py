"""Amounts in texts and cells: value, unit, scale and currency, in Chinese and English, exact as decimals.

A share stays a share: `5%` is 5 percent, `5个百分点` are 5 points, `50 bps` are 50 basis points; they are never mixed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from metier.specialists.finance.periods import find_periods

Unit = Literal["number", "percent", "points", "bps", "multiple"]

SCALES = {
    "万亿": 10**12, "千亿": 10**11, "百亿": 10**10, "十亿": 10**9, "亿": 10**8, "千万": 10**7, "百万": 10**6,
    "十万": 10**5, "万": 10**4, "千": 10**3,
    "trillion": 10**12, "billion": 10**9, "million": 10**6, "thousand": 10**3,
    "billions": 10**9, "millions": 10**6, "thousands": 10**3,
    "bn": 10**9, "mn": 10**6, "mm": 10**6, "mio": 10**6, "m": 10**6, "b": 10**9, "k": 10**3,
}  # fmt: skip
_UNITS: dict[str, Unit] = {
    "%": "percent", "％": "percent", "percent": "percent", "per cent": "percent",
    "个百分点": "points", "百分点": "points", "percentage points": "points", "percentage point": "points",
    "pp": "points", "ppt": "points", "ppts": "points",
    "bps": "bps", "bp": "bps", "basis points": "bps", "basis point": "bps", "个基点": "bps", "基点": "bps",
    "倍": "multiple", "times": "multiple", "x": "multiple",
}  # fmt: skip
CURRENCIES = {
    "人民币": "CNY", "rmb": "CNY", "cny": "CNY", "元": "CNY", "yuan": "CNY",
    "us$": "USD", "usd": "USD", "美元": "USD", "dollars": "USD", "$": "USD",
    "hk$": "HKD", "hkd": "HKD", "港元": "HKD", "港币": "HKD", "€": "EUR", "eur": "EUR", "欧元": "EUR", "euros": "EUR",
    "£": "GBP", "gbp": "GBP", "英镑": "GBP", "日元": "JPY", "jpy": "JPY",
}  # fmt: skip
_NUMBER = r"(?:\d{1,3}(?:[,，]\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_BEFORE = r"us\$|hk\$|a\$|c\$|s\$|nt\$|人民币|rmb|cny|usd|hkd|eur|gbp|jpy|[$¥￥€£]"
_SCALE_WORDS = "|".join(sorted(map(re.escape, SCALES), key=len, reverse=True))
_UNIT_WORDS = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_AFTER = "美元|港元|港币|欧元|英镑|日元|人民币|元|yuan|dollars|euros|usd|rmb|cny|hkd|eur|gbp"
_AMOUNT = re.compile(
    rf"(?P<open>[(（])?\s*(?P<sign>(?<![A-Za-z0-9_])[-−–+])?\s*(?P<before>{_BEFORE})?\s*(?P<open2>[(（])?\s*(?P<sign2>[-−–])?\s*"
    rf"(?<![A-Za-z0-9_.])(?P<number>{_NUMBER})(?![\d])"
    rf"(?P<close>\s*[)）])?"
    rf"(?:\s*-?(?:(?P<unit>{_UNIT_WORDS})|(?P<scale>{_SCALE_WORDS})?\s*(?P<after>{_AFTER})?)(?![A-Za-z]))?"
    rf"(?P<close2>\s*[)）])?",
    re.IGNORECASE,
)
_MARKS = re.compile(r"\[\d+\]|第\s*\d+\s*[章节条页款项]|[Nn]otes?\s+\d+|[Pp]age\s+\d+|[Tt]able\s+\d+|表\s*\d+|图\s*\d+")
_TAIL = re.compile(r"[ *†‡)）(%pts0-9]*")  # marks of notes behind a cell's figure
_LETTER = re.compile(r"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Amount:
    """A figure as written.

    value: with its sign, before its scale; unit: a number, or a share of some kind; scale: what the value is counted
    in, None where nothing says so; currency: ISO 4217, empty where nothing says so; decimals: digits behind the point;
    start, end: where it stands.
    """

    value: Decimal
    unit: Unit = "number"
    scale: int | None = None
    currency: str = ""
    decimals: int = 0
    text: str = ""
    start: int = 0
    end: int = 0

    @property
    def full(self) -> Decimal:
        """The value in ones."""
        return self.value * (self.scale or 1)


def find_amounts(text: str) -> list[Amount]:
    """The amounts in a text, in its order. Years, dates and numbers of notes, pages and tables are none."""
    masked = list(text)
    spans = [(one.start, one.end) for one in find_periods(text)]
    spans += [match.span() for match in _MARKS.finditer(text)]
    for start, end in spans:
        masked[start:end] = "\x00" * (end - start)
    return [_amount(match) for match in _AMOUNT.finditer("".join(masked))]


def read_cell(text: str) -> Amount | None:
    """The amount that fills a cell: brackets are a minus sign. None for words, years and empty cells."""
    bare = " ".join(text.replace("\u00a0", " ").split())
    match = _AMOUNT.match(bare)
    if match is None or not _TAIL.fullmatch(bare[match.end() :]):
        return None
    found = _amount(match)
    if bare[match.end() :].strip().startswith("%"):
        found = Amount(found.value, "percent", None, "", found.decimals, bare, 0, len(bare))
    if found.unit == "number" and not found.currency and re.fullmatch(r"(?:19|20)\d\d", bare):
        return None
    return found


def read_scale(text: str) -> int | None:
    """What a heading or caption counts in: `in millions`, `单位：万元`, `RMB'000`, `$m`. None where it does not say."""
    return next(iter(read_scales(text)), None)


def read_scales(text: str) -> list[int]:
    """All that a heading counts in, the surest first: `(in millions; shares in thousands)`."""
    patterns = (*_SCALE_PATTERNS, _LOOSE) if len(text) <= _HEADING else _SCALE_PATTERNS
    found: dict[int, None] = {}
    for pattern, group in patterns:
        for match in pattern.finditer(text):
            found[1000 if group is None else SCALES.get(match.group(group).lower(), 1)] = None
    return list(found)


def read_currency(text: str) -> str:
    """The currency that a text names first, empty where none."""
    places = [(text.lower().find(word), code) for word, code in CURRENCIES.items() if word in text.lower()]
    return min(places)[1] if places else ""


def scale_name(scale: int | None, language: str) -> str:
    """A scale in words: `million`, `百万`; empty for ones."""
    if not scale or scale == 1:
        return ""
    wanted = (
        word for word, value in SCALES.items() if value == scale and bool(_LETTER.match(word)) == (language != "zh")
    )
    return next(wanted, f"×{scale:,}")


def shown(value: Decimal, decimals: int | None = None) -> str:
    """A number for people: thousands grouped, no exponent, no zeros that say nothing."""
    if decimals is not None:
        return f"{value:,.{decimals}f}"
    text = f"{value:,.6f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


_MONEY = r"[$€£¥]|RMB|USD|EUR|GBP|HKD"
_SCALE_PATTERNS: tuple[tuple[re.Pattern[str], int | None], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), group)
    for pattern, group in (
        (r"单位[:：]?\s*(?:人民币|美元|港元|港币|欧元)?\s*(万亿|百亿|十亿|亿|千万|百万|万|千|(?=元))", 1),
        (r"[(（](?:人民币|美元|港币|港元)?\s*(十亿|亿|百万|万|千)元?[)）]", 1),
        (r"\bin\s+(?:[A-Za-z.]+\s+){0,3}?(?:[A-Z]{0,3}[$€£¥]\s*)?(thousand|million|billion)s?\b", 1),
        (r"[('’‘](?:\$|€|£|RMB|US\$)?\s*0{3}s?\b|\b000['’]?s\b|['’‘]000|\(1,000s?\)", None),
        (rf"(?:{_MONEY})\s*[-’']?\s*(thousand|million|billion|bn|mn|mm|m|k)s?\b", 1),
        (r"[(（]\s*(thousand|million|billion)s?\b", 1),
        (r"\b(thousand|million|billion)s?\s+of\s+(?:\w+\s+)?(?:dollars|euros?|yuan|yen|shares)", 1),
        (r"[(（]?(百万|万|亿|千)(?:元|美元|股)[)）]?\s*$", 1),
    )
)
_LOOSE = (re.compile(r"\b(thousands|millions|billions)\b", re.IGNORECASE), 1)  # enough in a heading
_HEADING = 120  # characters


def _amount(match: re.Match[str]) -> Amount:
    number = match["number"].replace(",", "").replace("，", "")
    value = Decimal(number)
    enclosed = (match["open"] or match["open2"]) and (match["close"] or match["close2"])
    if match["sign"] in ("-", "−", "–") or match["sign2"] or enclosed:
        value = -value
    said = (match["unit"] or "").lower()
    scale = match["scale"]
    currency = CURRENCIES.get((match["after"] or match["before"] or "").lower().replace("￥", "¥"), "")
    if (match["before"] or "") in ("¥", "￥"):
        currency = "CNY"
    start, end = match.span()
    text = match.string[start:end]
    start += len(text) - len(text.lstrip())
    return Amount(
        value=value,
        unit=_UNITS.get(said, "number"),
        scale=SCALES[scale.lower()] if scale else None,
        currency=currency,
        decimals=len(number.partition(".")[2]),
        text=text.strip(),
        start=start,
        end=end,
    )
