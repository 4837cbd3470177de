"""Numbers as Chinese writes them: `四十四`, `8千`, `1.2万`, `８，０００`."""

from __future__ import annotations

import unicodedata
from decimal import Decimal, InvalidOperation

_DIGITS = {mark: value for value, mark in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10_000, "亿": 100_000_000}
# What a number may be made of, as a character class.
NUMBER = r"[0-9０-９][0-9０-９,，]*(?:[.．][0-9０-９]+)?\s*[万千百kK]?|[零〇一二三四五六七八九十百千万两]+"


def to_number(text: str) -> Decimal | None:
    """The number that `text` writes, in either script; None where it writes none."""
    plain = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "").lower().replace("k", "千")
    if not plain:
        return None
    factor = Decimal(1)
    while plain and plain[-1] in "百千万" and plain[0].isdigit():
        factor *= {**_UNITS, **_LARGE}[plain[-1]]
        plain = plain[:-1]
    if plain[:1].isdigit():
        try:
            return Decimal(plain) * factor
        except InvalidOperation:
            return None
    return _spelled(plain)


def _spelled(text: str) -> Decimal | None:
    """`一万二千三百` and the short forms `八千五` (8,500) and `一万二` (12,000)."""
    total, section, digit, last = 0, 0, 0, 1
    for mark in text:
        if mark in _DIGITS:
            digit = _DIGITS[mark]
        elif mark in _UNITS:
            section += (digit or 1) * _UNITS[mark]
            digit, last = 0, _UNITS[mark]
        elif mark in _LARGE:
            total = (total + section + digit) * _LARGE[mark]
            section, digit, last = 0, 0, _LARGE[mark]
        else:
            return None
    short = digit and last >= 100 and "零" not in text and "〇" not in text
    return Decimal(total + section + (digit * last // 10 if short else digit))


def to_chinese(number: int) -> str:
    """A whole number below 10,000 as statutes count: 10 is `十`, 101 is `一百零一`."""
    marks = "零一二三四五六七八九"
    if number < 10:
        return marks[number]
    written, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            written += ("零" if gap and written else "") + marks[digit] + name
        gap = not digit
    return written.removeprefix("一") if written.startswith("一十") else written
