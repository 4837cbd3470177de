"""Amounts in texts and cells: value, unit, scale and currency, in Chinese and English, exact as decimals.

A share stays a share: `5%` is 5 percent, `5个百分点` are 5 points, `50 bps` are 50 basis points; they are never mixed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from metier.core import quantities
from metier.core.quantities import BEFORE, any_of, folded
from metier.specialists.finance.periods import find_periods

Unit = Literal["number", "percent", "points", "bps", "multiple"]

_PLURALS = {f"{word}s": 10**power for word, power in (("billion", 9), ("million", 6), ("thousand", 3))}
SCALES = {**quantities.SCALES, **_PLURALS, "mio": 10**6}
_CALLED: dict[quantities.Unit, Unit] = {
    "": "number", "percent": "percent", "points": "points", "bps": "bps", "times": "multiple",
}  # fmt: skip
_UNITS: dict[str, Unit] = {**{word: _CALLED[unit] for word, unit in quantities.UNITS.items()}, "％": "percent"}
CURRENCIES = {word: codes[0] for word, codes in quantities.CURRENCIES.items()}  # the likeliest of those it may mean
_NUMBER = r"(?:\d{1,3}(?:[,，]\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_AFTER = any_of(word for word in CURRENCIES if word[-1].isalpha())  # a sign behind a figure is of the next one
_AMOUNT = re.compile(
    rf"(?P<open>[(（])?\s*(?P<sign>(?<![A-Za-z0-9_])[-−–+])?\s*(?P<before>(?<![A-Za-z])(?:{BEFORE}|￥))?\s*(?P<open2>[(（])?\s*(?P<sign2>[-−–])?\s*"
    rf"(?<![A-Za-z0-9_.])(?P<number>{_NUMBER})(?![\d])"
    rf"(?P<close>\s*[)）])?"
    rf"(?:\s*-?(?:(?P<unit>{any_of(_UNITS)})|(?P<scale>{any_of(SCALES)})?\s*(?P<after>{_AFTER})?)(?![A-Za-z]))?"
    rf"(?P<close2>\s*[)）])?",
    re.IGNORECASE,
)
_CURRENCY = re.compile(rf"(?<![A-Za-z])(?:{any_of(CURRENCIES)}|￥)(?:(?<![A-Za-z])|(?![A-Za-z]))", re.IGNORECASE)
_MARKS = re.compile(
    r"\[\d+\]|第\s*\d+\s*[章节条页款项]|[Nn]otes?\s+\d+|[Pp]age\s+\d+|[Tt]able\s+\d+|表\s*\d+|图\s*\d+|\b\d{1,2}-[KQF]\b"
)
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
    """The amounts in a text, in its order. Years, dates, and numbers of notes, pages, tables and forms (`10-K`) are
    none."""
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
    found = _CURRENCY.search(text)
    return _currency(found[0]) if found else ""


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


def _currency(word: str) -> str:
    return CURRENCIES.get(folded(word).replace("￥", "¥"), "")


def _amount(match: re.Match[str]) -> Amount:
    number = match["number"].replace(",", "").replace("，", "")
    value = Decimal(number)
    enclosed = (match["open"] or match["open2"]) and (match["close"] or match["close2"])
    if match["sign"] in ("-", "−", "–") or match["sign2"] or enclosed:
        value = -value
    said = folded(match["unit"] or "")
    scale = match["scale"]
    start, end = match.span()
    text = match.string[start:end]
    start += len(text) - len(text.lstrip())
    return Amount(
        value=value,
        unit=_UNITS.get(said, "number"),
        scale=SCALES[scale.lower()] if scale else None,
        currency=_currency(match["after"] or match["before"] or ""),
        decimals=len(number.partition(".")[2]),
        text=text.strip(),
        start=start,
        end=end,
    )
