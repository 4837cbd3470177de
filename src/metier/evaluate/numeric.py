"""Reads the number that an answer in free text gives, and compares it with the right one, units and scales heeded.

Never a guess: where several figures could be meant, the answer is unreadable. `Answer: …`, `答案：…`, `\\boxed{…}` win;
else the one figure of the text; else, in its last sentence with figures, the one behind `=`, `is`, `为`, ….
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from metier.core.quantities import Quantity, plain, quantities_in, read_quantity, read_unit

Close = Callable[[Decimal, Decimal], bool]

_STATED = re.compile(
    r"(?:\\boxed\s*\{|<answer>|(?:\b(?:final\s+)?answer|最终答案|答案|答)\s*(?:\([^()]{0,20}\)\s*)?(?:(?:应?[是为]|is)\s*[:=]*|[:=]+))\s*",
    re.IGNORECASE,
)
_STOP = re.compile(r"\n|[。！!？]|[.](?=\s|$)|</answer>|\}")
_SENTENCE = re.compile(r"[。！!？?\n;；]+|[.](?=\s|$)")
_LED = re.compile(
    r"(?:[=≈:：]|\b(?:is|was|are|were|equals?|reached|totall?(?:ed|s)|amount(?:ed|s)\s+to)|约|为|是|达到?了?)\s*"
    r"(?:(?:about|around|approximately|roughly|exactly|only|nearly|大约|约)\s*)?(?:[$€£¥]\s*)?$",
    re.IGNORECASE,
)


_LISTED = re.compile(r"\s*(?:[,;、/；]|\band\b|\bor\b|[和与或])\s*", re.IGNORECASE)


_MOST = 20_000  # characters from the end: an answer stands there
_LEAD = 60


def final_answer(text: str) -> str:
    """What the text states to be its answer (the last statement counts), else all of it."""
    return _stated(plain(text[-_MOST:]))[0]


def _stated(text: str) -> tuple[str, bool]:
    for lead in reversed(list(_STATED.finditer(text))):
        found = _STOP.split(text[lead.end() :], maxsplit=1)[0].strip()
        if found:
            return found, True
    return text.strip(), False


@lru_cache(maxsize=1 << 14)
def read_number(text: str, *, year: bool = False) -> Quantity | None:
    """The quantity that the answer gives (with `year`: the year), or None where it gives none or several."""
    stated, explicit = _stated(plain(text[-_MOST:]))
    found = quantities_in(stated)
    fitting = [one for one in found if one.year == year] or (found if len(found) == 1 and not year else [])
    free = [one for one in fitting if not one.ranged]
    if explicit and fitting and not fitting[0].ranged and not stated[: fitting[0].start].strip(" ~≈约"):
        listed = len(fitting) > 1 and _LISTED.fullmatch(stated[fitting[0].end : fitting[1].start])
        return None if listed else fitting[0]
    if len({(one.value, one.unit) for one in fitting}) == 1:
        return fitting[0]
    for sentence_start, sentence_end in reversed(_sentences(stated)):
        inside = [one for one in free if sentence_start <= one.start < sentence_end]
        if not inside:
            continue
        if len({(one.value, one.unit) for one in inside}) == 1 and len(inside) == sum(
            sentence_start <= one.start < sentence_end for one in fitting
        ):
            return inside[0]
        led = [one for one in inside if _LED.search(stated[max(sentence_start, one.start - _LEAD) : one.start])]
        return led[-1] if led else None
    return None


def _sentences(text: str) -> list[tuple[int, int]]:
    ends = [match.start() for match in _SENTENCE.finditer(text)] + [len(text)]
    return list(zip([0, *ends], ends, strict=False))


@lru_cache(maxsize=1 << 14)
def wanted_quantity(gold: str, unit: str = "") -> Quantity | None:
    """The right answer as a quantity, its unit completed by the row's; None where it is no number."""
    found = read_quantity(gold)
    if found is None or not unit.strip():
        return found
    named = read_unit(unit)
    year = found.year and not (named.unit or named.scale or named.currencies) and unit.strip().casefold() in _YEARS
    return replace(
        found,
        unit=found.unit or named.unit,
        scale=found.scale or named.scale,
        currencies=found.currencies or named.currencies,
        year=year,
    )


_YEARS = ("year", "years", "年", "年份")


def agrees(found: Quantity, wanted: Quantity, close: Close) -> bool:
    """Whether `found` is `wanted`, by `close(found, wanted)` in the unit and scale that `wanted` is written in."""
    if found.currencies and wanted.currencies and not set(found.currencies) & set(wanted.currencies):
        return False
    return any(close(number, wanted.number) for number in _readings(found, wanted))


def _readings(found: Quantity, wanted: Quantity) -> list[Decimal]:
    """What `found` may be in the unit of `wanted`; empty where the units differ."""
    if wanted.scale and found.scale:
        numbers = [found.value / wanted.scale]
    elif wanted.scale:
        numbers = [found.number, found.number / wanted.scale]  # in the unit asked for, or in ones
    else:
        numbers = [found.number, found.value]  # a scale that only the picture tells, or one that is in the number
    units = (found.unit, wanted.unit)
    if units[0] == units[1] or units in (("times", ""), ("", "times"), ("", "points"), ("", "bps")):
        return numbers
    if units in (("points", ""), ("bps", "")):
        return numbers
    if units == ("percent", ""):
        return [*numbers, *(number / 100 for number in numbers)]
    if units == ("", "percent"):
        return [*numbers, *(number * 100 for number in numbers if abs(number) <= 1)]
    if units == ("bps", "points"):
        return [number / 100 for number in numbers]
    if units == ("points", "bps"):
        return [number * 100 for number in numbers]
    return []


def within(tolerance: Decimal) -> Close:
    """At most so far away, in the unit of the right answer."""
    return lambda found, wanted: abs(found - wanted) <= tolerance


def within_share(share: Decimal) -> Close:
    """At most this share of the right answer away; a right answer of 0 must be met."""
    return lambda found, wanted: abs(found - wanted) <= share * abs(wanted)
