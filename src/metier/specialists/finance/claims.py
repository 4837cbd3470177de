"""What a text claims of the lines of tables, and whether the tables bear it out.

A claim is an amount behind the name of a line in the same sentence: a level (`营业收入为12.5亿元`), a growth
(`同比增长8.3%`), or a difference (`increased by $3.2 million`). Only where line, period and kind are clear is anything
said; all else is left alone, so that a flag is worth looking at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from metier.specialists.finance import computing
from metier.specialists.finance.amounts import Amount, shown
from metier.specialists.finance.evidence import Evidence, Sentence, clause_of
from metier.specialists.finance.periods import Period
from metier.specialists.finance.sheets import Entry, Line, Place, Sheet

ClaimKind = Literal["level", "growth", "difference"]
_GROWS = re.compile(
    r"增长|增加|上升|提高|提升|下降|减少|下滑|降低|回落|同比|grew|grow|increas|rose|rise|decreas|declin|fell|fall|drop|up\b|down\b",
    re.IGNORECASE,
)
_BY = re.compile(r"(?:增长|增加|上升|提高|提升|下降|减少|下滑|降低|回落)了?\s*$|\bby\s*$", re.IGNORECASE)
_DOWN = re.compile(r"下降|减少|下滑|降低|回落|decreas|declin|fell|fall|drop|\bdown\b|negative", re.IGNORECASE)
_UP = re.compile(r"增长|增加|上升|提高|提升|grew|grow|increas|rose|rise|\bup\b", re.IGNORECASE)
_SEQUENTIAL = re.compile(r"环比|quarter[- ]on[- ]quarter|sequential|QoQ", re.IGNORECASE)
_LOOSE = re.compile(r"约|近|超过?|逾|接近|about|around|approximately|nearly|over|more than|almost|some", re.IGNORECASE)
_SHARES = re.compile(r"占|比重|of (?:the )?total|accounted for|represent", re.IGNORECASE)
_PLAN = re.compile(r"计划|预计|目标|预算|将达|力争|expect|forecast|target|plan|guidance|outlook", re.IGNORECASE)
_SHORTEST = 2
_NEAR = 60  # characters between a line's name and what is claimed of it


@dataclass(frozen=True, slots=True)
class Claim:
    """An amount that a sentence says of a line. found: what the table gives, in the claim's unit; holds: whether they
    agree; working: how it was computed; entries: of what cells."""

    sentence: Sentence
    amount: Amount
    line: Line
    sheet: Sheet
    kind: ClaimKind
    period: Period | None
    found: Decimal
    holds: bool
    working: str
    entries: tuple[Entry, ...]
    place: Place


def claims_of(evidence: Evidence) -> list[Claim]:
    """The claims of the texts that can be checked. One that any table bears out holds."""
    lines = [(line, sheet) for sheet in evidence.sheets for line in sheet.lines() if len(line.short) >= _SHORTEST]
    names = sorted({line.short for line, _ in lines}, key=len, reverse=True)
    found: list[Claim] = []
    for sentence in evidence.sentences:
        if _PLAN.search(sentence.text):
            continue
        for amount, name in _named(sentence, names):
            made = [
                claim
                for line, sheet in lines
                if line.short == name and (claim := _claim(sentence, amount, line, sheet))
            ]
            if made:
                found.append(next((claim for claim in made if claim.holds), made[0]))
    return found


def _named(sentence: Sentence, names: Sequence[str]) -> Iterator[tuple[Amount, str]]:
    """Each amount with the line that was named last before it."""
    text = sentence.text.lower()
    mentions: list[tuple[int, int, str]] = []
    for name in names:
        for match in re.finditer(_pattern(name), text):
            if not any(start < match.end() and match.start() < end for start, end, _ in mentions):
                mentions.append((match.start(), match.end(), name))
    for amount in sentence.amounts:
        before = [one for one in mentions if one[1] <= amount.start]
        if before:
            _, end, name = max(before)
            if amount.start - end <= _NEAR:
                yield amount, name


def _pattern(name: str) -> str:
    bare = re.sub(r"^[一二三四五六七八九十]+、|^其中[:：]|[(（][^)）]*[)）]$", "", name.strip().lower()).strip(" :：")
    words = re.escape(bare).replace(r"\ ", r"\s+")
    return rf"(?<![a-z]){words}(?![a-z])" if re.search("[a-z]", bare) else (words or r"(?!)")


def _claim(sentence: Sentence, amount: Amount, line: Line, sheet: Sheet) -> Claim | None:
    kind = _kind(sentence, amount)
    if kind is None:
        return None
    entries = _meant(sentence, amount, kind, line, sheet)
    if entries is None:
        return None
    if kind == "level":
        return _level(sentence, amount, line, sheet, entries[-1])
    return _moved(sentence, amount, line, sheet, kind, entries)


def _kind(sentence: Sentence, amount: Amount) -> ClaimKind | None:
    """What an amount says of its line, None where that is not clear."""
    before = sentence.text[max(0, amount.start - 40) : amount.start]
    clause = re.split(r"[，,；;。(（]", before)[-1]
    if amount.unit in ("points", "bps"):
        return "difference"
    if amount.unit == "percent":
        if _SHARES.search(clause):
            return None
        return "growth" if _GROWS.search(clause) else "level"
    if amount.unit != "number":
        return None
    return "difference" if _BY.search(before) else "level"


def _meant(sentence: Sentence, amount: Amount, kind: ClaimKind, line: Line, sheet: Sheet) -> tuple[Entry, ...] | None:
    """The figure, or the old and the new one, that a claim is about."""
    entries = line.over_time()
    if not entries:
        return None
    period = _period(sentence, amount, kind)
    if period is None:
        named = {one.period for one in sentence.periods}
        if named:
            return None
        new = entries[-1]  # a report speaks of its own period unless it says otherwise
    else:
        at = line.at(period)
        if at is None:
            return None
        new = at
    if kind == "level":
        return (new,)
    if new.period is None:
        return None
    if _SEQUENTIAL.search(sentence.text[: amount.end]):
        place = entries.index(new) if new in entries else 0
        old = entries[place - 1] if place and new.period.part[:1] == "Q" else None
    else:
        old = line.at(new.period.before())
    return (old, new) if old is not None and old is not new else None


def _period(sentence: Sentence, amount: Amount, kind: ClaimKind) -> Period | None:
    """The period that an amount is said of: that of the same rank in a list, the only one, or the nearest in its
    clause; for a change the later of those before it."""
    periods = sentence.periods
    if not periods:
        return None
    if len({one.period for one in periods}) == 1:
        return periods[0].period
    if kind != "level":
        return max((one.period for one in periods), key=str)
    own = sentence.periods_of(amount)
    if len(own) == 1:
        return next(iter(own))
    start, end = clause_of(sentence.text, amount)
    inside = [one.period for one in periods if start <= one.start < end]
    if len(set(inside)) == 1:
        return inside[0]
    before = [one.period for one in periods if one.end <= amount.start]
    return before[-1] if before and len(set(inside)) == 0 else None


def _level(sentence: Sentence, amount: Amount, line: Line, sheet: Sheet, entry: Entry) -> Claim | None:
    cell = entry.amount
    if amount.unit != cell.unit or (amount.currency and cell.currency and amount.currency != cell.currency):
        return None
    if amount.unit == "percent":
        value = cell.value
        stated, step = amount.value, Decimal(1).scaleb(-amount.decimals)
    else:
        if not cell.scale and amount.scale not in (None, 1):
            return None  # what the table counts in is not known
        scale = Decimal(amount.scale or (1 if amount.currency else cell.scale or 1))
        value, stated, step = cell.full / scale, amount.value, Decimal(1).scaleb(-amount.decimals)
    holds = _near(sentence, amount, stated, value, step)
    return _made(sentence, amount, line, sheet, "level", value, holds, shown(cell.value), (entry,))


def _moved(
    sentence: Sentence, amount: Amount, line: Line, sheet: Sheet, kind: ClaimKind, entries: tuple[Entry, ...]
) -> Claim | None:
    old, new = entries[0].amount, entries[-1].amount
    if old.unit != new.unit:
        return None
    step = Decimal(1).scaleb(-amount.decimals)
    if amount.unit in ("points", "bps"):
        if new.unit != "percent":
            return None
        value = (new.value - old.value) * (100 if amount.unit == "bps" else 1)
        working = f"{shown(new.value)} - {shown(old.value)}"
    elif kind == "growth":
        if new.unit != "number":
            return None
        grown = computing.growth(new.full, old.full)
        if grown is None:
            return None
        value = grown
        working = computing.growth_working(new.value, old.value)
        # Figures that are rounded themselves blur the growth between them.
        step += sum(
            (Decimal(100).scaleb(-one.decimals) / (abs(old.value) or Decimal(1)) for one in (old, new)), Decimal(0)
        )
    else:
        if new.unit != "number" or (not new.scale and amount.scale not in (None, 1)):
            return None
        scale = Decimal(amount.scale or new.scale or 1)
        value = (new.full - old.full) / scale
        working = f"{shown(new.value)} - {shown(old.value)}"
        step += sum(Decimal(new.scale or 1).scaleb(-one.decimals) for one in (old, new)) / scale / 2
    holds = _near(sentence, amount, amount.value, abs(value) if amount.value >= 0 else value, step)
    holds = holds and _same_way(sentence, amount, value)
    return _made(sentence, amount, line, sheet, kind, value, holds, working, entries)


def _near(sentence: Sentence, amount: Amount, stated: Decimal, value: Decimal, step: Decimal) -> bool:
    """Whether a stated value is the found one, to the digits that it is given to; looser where it says `about`."""
    off = abs(abs(stated) - abs(value))
    before = sentence.text[max(0, amount.start - 14) : amount.start]
    if _LOOSE.search(before):
        return off <= max(step, abs(value) * Decimal("0.05"))
    return off <= step * Decimal("0.51")


def _same_way(sentence: Sentence, amount: Amount, value: Decimal) -> bool:
    """Whether the words say up where it went up."""
    clause = re.split(r"[，,；;。(（]", sentence.text[max(0, amount.start - 40) : amount.start])[-1]
    down, up = bool(_DOWN.search(clause)), bool(_UP.search(clause))
    if down == up or value == 0:
        return True
    return (value < 0) == down


def _made(
    sentence: Sentence,
    amount: Amount,
    line: Line,
    sheet: Sheet,
    kind: ClaimKind,
    value: Decimal,
    holds: bool,
    working: str,
    entries: tuple[Entry, ...],
) -> Claim:
    place = Place(sentence.page, start=sentence.start + amount.start, end=sentence.start + amount.end)
    period = entries[-1].period
    return Claim(sentence, amount, line, sheet, kind, period, value, holds, working, entries, place)
