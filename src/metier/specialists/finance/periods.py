"""Periods in one form: `FY2023`, `2023年上半年`, `Q3 2023` and `June 30, 2023` become `2023`, `2023-H1`, `2023-Q3`,
`2023-06-30`. A form sorts as its time does within one kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_MONTH = (
    r"(?P<month_name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_SHORT = r"'?(?P<year>(?:19|20)\d\d|\d\d)"
_ORDINALS = {"first": "1", "second": "2", "third": "3", "fourth": "4", "一": "1", "二": "2", "三": "3", "四": "4"}
_QUARTER = r"(?P<quarter>first|second|third|fourth)"
_LINK = r"(?:\s*,?\s*(?:of|in|for)?\s*(?:the\s+)?(?:fiscal|financial)?\s*(?:years?)?\s*)"
_PATTERNS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_YEAR}\s*年\s*(?P<month>1[0-2]|0?[1-9])\s*月\s*(?P<day>[12]\d|3[01]|0?[1-9])\s*日",
        rf"{_YEAR}\s*年\s*(?P<half>[上下])半年",
        rf"{_YEAR}\s*年?\s*第?(?P<quarter>[一二三四1-4])季度?",
        rf"{_YEAR}\s*年\s*(?P<nine>前三季度|1\s*[-–—至]\s*9\s*月)",
        rf"{_YEAR}\s*年\s*(?P<month>1[0-2]|0?[1-9])\s*月",
        rf"{_YEAR}\s*年(?:度|末|底|初)?",
        rf"(?<!\d){_YEAR}[-/.](?P<month>1[0-2]|0[1-9])[-/.](?P<day>[12]\d|3[01]|0[1-9])(?!\d)",
        rf"{_MONTH}\s*(?P<day>[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?\s*,?\s+{_YEAR}",
        rf"(?P<day>[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?\s+{_MONTH},?\s+{_YEAR}",
        rf"\bQ(?P<quarter>[1-4])\s*(?:FY|of|in|[-/,])?\s*{_SHORT}(?!\d)",
        rf"\b(?P<quarter>[1-4])Q\s*(?:FY|[-/])?\s*{_SHORT}(?!\d)",
        rf"(?<!\d){_YEAR}\s*[-/]?\s*Q(?P<quarter>[1-4])\b",
        rf"\b{_QUARTER}\s+quarters?{_LINK}{_YEAR}",
        rf"\bH(?P<half>[12])\s*(?:FY|of|[-/])?\s*{_SHORT}(?!\d)",
        rf"\b(?P<half>[12])H\s*(?:FY|[-/])?\s*{_SHORT}(?!\d)",
        rf"(?<!\d){_YEAR}\s*[-/]?\s*H(?P<half>[12])\b",
        rf"\b(?P<half>first|second)\s+half{_LINK}{_YEAR}",
        rf"\b(?P<nine>nine\s+months|9M)\s*(?:ended\s+\w+\s*\d*,?\s*|of\s+|FY)?{_SHORT}(?!\d)",
        rf"\b{_MONTH}\s*,?\s+(?:of\s+)?{_YEAR}",
        rf"\bF\s?Y\s?E?\s*{_SHORT}(?!\d)",
        r"\bF(?P<year>\d\d)\b",
        r"(?<![\d.,])(?P<year>20\d\d)\s*/\s*\d\d(?!\d)",
        rf"(?<![\d.$¥€£])(?<!\d,\d\d)(?<![$¥€£]\s){_YEAR}(?![\d%])(?![.,]\d(?!\d{{3}}(?!\d)))",
    )
]


@dataclass(frozen=True, slots=True)
class Period:
    """A year, or a part of one. part: empty, `H1`, `H2`, `Q1` to `Q4`, `9M`, `06` or `06-30`."""

    year: int
    part: str = ""

    def __str__(self) -> str:
        return f"{self.year:04d}" + (f"-{self.part}" if self.part else "")

    @property
    def is_day(self) -> bool:
        """Whether it is the day on which something stands, or a year ends."""
        return "-" in self.part

    def covers(self, other: Period) -> bool:
        """Whether a figure of `other` may be meant where this period is named: the same one, or a year and the day or
        month that it ends with."""
        if self.year != other.year:
            return False
        parts = {self.part, other.part}
        return len(parts) == 1 or ("" in parts and not any(part[:1] in ("Q", "H", "9") for part in parts if part))

    def before(self) -> Period:
        """The same period a year earlier."""
        return Period(self.year - 1, self.part)


@dataclass(frozen=True, slots=True)
class PeriodFound:
    """A period in a text, from character `start` to `end`."""

    period: Period
    start: int
    end: int


def find_periods(text: str) -> list[PeriodFound]:
    """The periods that a text names, in its order; of two that overlap the one that says more."""
    found: list[PeriodFound] = []
    taken: list[tuple[int, int]] = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < last and first < end for first, last in taken):
                continue
            taken.append((start, end))
            found.append(PeriodFound(_period(match), start, end))
    return sorted(found, key=lambda one: one.start)


def read_period(text: str) -> Period | None:
    """The first period that a text names."""
    found = find_periods(text)
    return found[0].period if found else None


def in_span(first: Period, last: Period) -> Iterator[Period]:
    """The years from one to another, both included."""
    for year in range(min(first.year, last.year), max(first.year, last.year) + 1):
        yield Period(year)


def _period(match: re.Match[str]) -> Period:
    said = {name: value for name, value in match.groupdict().items() if value}
    year = int(said["year"])
    year = year + 2000 if year < 100 else year
    month = int(said["month"]) if "month" in said else 0
    if "month_name" in said:
        month = _MONTHS[said["month_name"][:3].lower()]
    if month:
        return Period(year, f"{month:02d}" + (f"-{int(said['day']):02d}" if "day" in said else ""))
    if "quarter" in said:
        return Period(year, "Q" + _ORDINALS.get(said["quarter"].lower(), said["quarter"]))
    if "half" in said:
        halves = {"上": "1", "下": "2", "first": "1", "second": "2"}
        return Period(year, "H" + halves.get(said["half"].lower(), said["half"]))
    return Period(year, "9M" if "nine" in said else "")
