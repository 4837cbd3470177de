"""Figures are checked against cells, texts and what can be computed of them. Wrong ones are flagged, none is dropped.

    stated figure ─► its working, done again ─► its operands found ─► their periods and units
                 └─► without a working: cells and sentences that say it, else growth, difference, share … of the row

Nothing here asks a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from metier.core.errors import DataError
from metier.specialists.finance.amounts import Amount, find_amounts, read_cell
from metier.specialists.finance.candidates import Candidate, computed
from metier.specialists.finance.computing import Operand, Worked, work_out
from metier.specialists.finance.evidence import Evidence, Fact, likeness, words_of
from metier.specialists.finance.periods import Period, find_periods, in_span
from metier.specialists.finance.sheets import Entry, Place

Problem = Literal["value", "unit", "period", "row", "working", "unsupported"]
_ROUNDING = Decimal("0.51")  # of the last digit


@dataclass(frozen=True, slots=True)
class Stated:
    """A figure that somebody states. working: how it was computed, such as `(44.1 - 56.7) / 56.7`; periods: that it is
    said of, beside those that the statement names."""

    amount: Amount
    working: str = ""
    periods: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence with its figures; without any, they are read from its text."""

    text: str
    figures: tuple[Stated, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """What is wrong with a figure. statement, figure: their numbers, from 0; found: what stands there instead;
    places: where."""

    statement: int
    figure: int
    problem: Problem
    stated: str
    found: str = ""
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check of one figure came to. problem: None where it is borne out."""

    problem: Problem | None
    found: str = ""
    places: tuple[Place, ...] = ()
    working: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a statement says around its figures."""

    text: str
    words: frozenset[str]
    periods: frozenset[Period] = field(default_factory=frozenset)

    @classmethod
    def of(cls, text: str, more: Sequence[Period] = ()) -> Said:
        named = {one.period for one in find_periods(text)} | set(more)
        # `Q4 2019 and 2018`: the bare year is of the same quarter.
        parts = {one.part for one in named if one.part[:1] in ("Q", "H", "9") and one.part}
        bare = {one for one in named if not one.part} if parts else set()
        named = (named - bare) | {Period(one.year, part) for one in bare for part in parts}
        return cls(text, words_of(text), frozenset(named))


def check(statements: Sequence[Statement | str], evidence: Evidence) -> list[Flag]:
    """The figures that tables and texts do not bear out."""
    flags = []
    for number, one in enumerate(statements):
        statement = Statement(one) if isinstance(one, str) else one
        figures = statement.figures or tuple(Stated(amount) for amount in find_amounts(statement.text))
        for place, stated in enumerate(figures):
            verdict = judge(stated, Said.of(statement.text, stated.periods), evidence)
            if verdict.problem:
                shown = stated.amount.text or str(stated.amount.value)
                flags.append(Flag(number, place, verdict.problem, shown, verdict.found, verdict.places))
    return flags


def judge(stated: Stated, said: Said, evidence: Evidence) -> Verdict:
    """Whether one figure is borne out, and by what."""
    if stated.working.strip():
        try:
            worked = work_out(stated.working)
        except DataError:
            return Verdict("working", stated.working)
        if worked.operands:
            return _judge_working(stated, worked, said, evidence)
    return _judge_directly(stated, said, evidence)


def _judge_directly(stated: Stated, said: Said, evidence: Evidence) -> Verdict:
    """A figure that should stand somewhere, or follow from a row."""
    alike = [fact for fact in (*evidence.cells, *evidence.said) if _same_digits(stated.amount, fact)]
    good = [fact for fact in alike if _same_unit(stated.amount, fact, evidence)]
    timely = [fact for fact in good if _in_time(fact.periods, said.periods)]
    if timely:
        better = _better_row(stated, said, timely, evidence)
        if better is None:
            return Verdict(None, places=tuple(fact.place for fact in timely[:3]))
        return Verdict("row", better.amount.text, (better.place,))
    worked = [one for one in computed(said.text, said.words, said.periods, evidence) if _agrees(stated.amount, one)]
    if worked:
        return Verdict(None, places=worked[0].places, working=worked[0].working)
    if good:
        return Verdict(
            "period",
            ", ".join(sorted(str(period) for fact in good for period in fact.periods)[:3]),
            tuple(fact.place for fact in good[:3]),
        )
    if alike:
        return Verdict("unit", alike[0].amount.text, tuple(fact.place for fact in alike[:3]))
    expected = _expected(said, evidence)
    return Verdict("value" if expected else "unsupported", *expected)


def _judge_working(stated: Stated, worked: Worked, said: Said, evidence: Evidence) -> Verdict:
    """A figure with its working: the sum is done again, and what goes into it must stand in the report, of the periods
    that are named, in the unit that is stated."""
    amount = stated.amount
    if not _result_fits(amount, worked):
        times = 100 if worked.ratio and amount.unit == "percent" else 1
        return Verdict("value", f"{worked.value * times:.6g}", working=stated.working)
    facts: list[list[Fact]] = []
    for operand in worked.operands:
        found = _of_operand(operand, evidence)
        if not found and not operand.counts and not _is_derived(operand):
            return Verdict("working", f"{operand.value}", working=stated.working)
        if found and not operand.counts and not _is_derived(operand):
            facts.append(found)
    if not facts:
        return Verdict("unsupported", working=stated.working)
    whole = len(facts) == sum(not operand.counts for operand in worked.operands)
    if untimely := _untimely(facts, said, evidence, whole=whole):
        return Verdict("period", untimely[0].amount.text, tuple(fact.place for fact in untimely[:3]), stated.working)
    best = [_best(found, said) for found in facts]
    if not _unit_of_result_fits(amount, worked, best, evidence):
        return Verdict("unit", best[0].amount.text, tuple(fact.place for fact in best), stated.working)
    return Verdict(None, places=tuple(fact.place for fact in best), working=stated.working)


def _result_fits(amount: Amount, worked: Worked) -> bool:
    """Whether the value follows from its working, to the digit that it is given to."""
    possible = [worked.value]
    shares = any(operand.percent for operand in worked.operands)
    if amount.unit == "bps":
        possible = [worked.value * 100] if not shares else [worked.value * 10_000]
    elif shares or worked.ratio or (worked.divides and amount.unit == "percent"):
        possible.append(worked.value * 100)
    step = Decimal(1).scaleb(-amount.decimals)
    return any(abs(abs(one) - abs(amount.value)) <= step * _ROUNDING for one in possible)


def _unit_of_result_fits(amount: Amount, worked: Worked, best: list[Fact], evidence: Evidence) -> bool:
    shares = [fact.amount.unit in ("percent", "points", "bps") for fact in best]
    if amount.unit in ("points", "bps"):
        return any(shares) and not worked.ratio
    if amount.unit == "percent":
        return (worked.divides and not all(shares)) or all(shares)
    if worked.ratio:
        return amount.scale in (None, 1)
    if all(shares):
        return amount.scale is None and not amount.currency
    scales = {fact.amount.scale for fact in best if fact.amount.unit == "number"}
    return _scale_fits(amount.scale, scales, evidence)


def _scale_fits(stated: int | None, found: set[int | None], evidence: Evidence) -> bool:
    """Whether a figure may be counted in what is stated. Where no cell says its scale, that of any table or text of the
    same report may be meant."""
    if stated is None or stated in found:
        return True  # a bare figure is in the table's own scale
    return stated in (evidence.scales if found <= {None, 1} else evidence.doubtful)


def _of_operand(operand: Operand, evidence: Evidence) -> list[Fact]:
    """Where an operand stands; a share only where there is no amount, unless it is written as one."""
    found = [
        fact
        for fact in (*evidence.cells, *evidence.said)
        if abs(operand.value) in (abs(fact.amount.value), abs(fact.full))
    ]
    shares = [fact for fact in found if fact.amount.unit in ("percent", "points", "bps")]
    others = [fact for fact in found if fact not in shares]
    return (shares or others) if operand.percent else (others or shares)


def _is_derived(operand: Operand) -> bool:
    """Whether an operand need not stand in the report: what is added or set to a hundred, or a year to count years."""
    return operand.value in (0, 1, 100) or (not operand.decimals and 1990 <= abs(operand.value) <= 2100)


def _untimely(facts: list[list[Fact]], said: Said, evidence: Evidence, *, whole: bool) -> list[Fact]:
    """The places of an operand that is of another period than those that are named, although its line has a figure of a
    period that is named: that one should have been taken. None where all are timely. whole: every operand was found, so
    that each period that is named should be among theirs."""
    if not said.periods:
        return []
    allowed = set(said.periods)
    distinct = {min(map(str, fact.periods)) for found in facts for fact in found[:1] if fact.periods}
    if len(distinct) > len(allowed) > 1:  # `from 2017 to 2019`, and a figure of each year
        years = sorted(allowed, key=str)
        allowed |= set(in_span(years[0], years[-1]))
    if len(allowed) == 1 and len(facts) > 1:
        allowed |= {period.before() for period in allowed}
    for found in facts:
        late = not any(_in_time(fact.around, allowed) for fact in found)
        if late and any(_has_rival(fact, said.periods, evidence) for fact in found):
            return found
    for period in said.periods if whole else ():
        used = any(_in_time(fact.around, {period}) for found in facts for fact in found)
        if not used and any(_has_rival(fact, {period}, evidence) for found in facts for fact in found):
            return facts[0]
    return []


def _has_rival(fact: Fact, periods: frozenset[Period] | set[Period], evidence: Evidence) -> bool:
    """Whether the same line, or the same sentence, has a figure of one of these periods."""
    if fact.entry is None:
        near = [one for one in evidence.said if one.words is fact.words and one is not fact]
    else:
        near = [one for one in evidence.cells if one.entry and _in_line(one.entry, fact.entry)]
    return any(one.periods and _in_time(one.periods, periods) for one in near)


def _in_line(one: Entry, other: Entry) -> bool:
    """Whether two cells are of one line of one table: a row, or a column where rows are periods."""
    across = (one.row_number, one.label) == (other.row_number, other.label)
    down = one.row_period and other.row_period and one.column_number == other.column_number
    return one.sheet == other.sheet and (across or down)


def _in_time(own: frozenset[Period], named: frozenset[Period] | set[Period]) -> bool:
    return not own or not named or any(one.covers(other) for one in own for other in named)


def _best(found: list[Fact], said: Said) -> Fact:
    def fit(fact: Fact) -> tuple[bool, float, bool]:
        named = likeness(fact.entry.label if fact.entry else fact.words, said.words)
        return _in_time(fact.periods, said.periods), named, fact.entry is not None

    return max(found, key=fit)


def _same_digits(amount: Amount, fact: Fact) -> bool:
    """Whether a fact may be what is stated, in whatever unit: the same digits, or the same value in another scale."""
    if abs(amount.value) == abs(fact.amount.value):
        return True
    if amount.scale and fact.amount.scale and amount.scale != fact.amount.scale:
        return abs(abs(amount.full) - abs(fact.full)) <= _ROUNDING * Decimal(amount.scale).scaleb(-amount.decimals)
    return False


def _same_unit(amount: Amount, fact: Fact, evidence: Evidence) -> bool:
    if amount.unit != fact.amount.unit and {amount.unit, fact.amount.unit} != {"number", "multiple"}:
        return False
    if amount.currency and fact.amount.currency and amount.currency != fact.amount.currency:
        return False
    if amount.unit != "number":
        return True
    if amount.scale and fact.amount.scale and abs(amount.value) != abs(fact.amount.value):
        return abs(abs(amount.full) - abs(fact.full)) <= _ROUNDING * Decimal(amount.scale).scaleb(-amount.decimals)
    return _scale_fits(amount.scale, {fact.amount.scale}, evidence)


def _better_row(stated: Stated, said: Said, timely: list[Fact], evidence: Evidence) -> Fact | None:
    """A cell whose row is named while the rows that hold the stated value are not, and which holds another value."""
    cells = [fact for fact in timely if fact.entry]
    if len(cells) < len(timely):
        return None
    best = max(likeness(fact.entry.label, said.words) for fact in cells if fact.entry)
    if best >= 0.5 or not said.periods:
        return None
    named = [
        fact
        for fact in _named_cells(said, evidence)
        if fact.entry and len(words_of(fact.entry.label.rpartition(" / ")[2])) > 1
        if fact.amount.unit == stated.amount.unit
    ]
    return named[0] if len(named) == 1 else None


def _agrees(amount: Amount, one: Candidate) -> bool:
    """Whether what was computed gives the stated value, to its digits, in its unit."""
    if amount.unit != one.unit:
        return False
    scale = Decimal(amount.scale or one.scale or 1) if one.unit == "number" else Decimal(1)
    full = amount.value * scale
    step = scale.scaleb(-amount.decimals)
    return abs(abs(full) - abs(one.value)) <= step * _ROUNDING


def _expected(said: Said, evidence: Evidence) -> tuple[str, tuple[Place, ...]] | tuple[()]:
    """What stands in the row and period that a statement names, where there is just one."""
    named = _named_cells(said, evidence)
    return (named[0].amount.text, (named[0].place,)) if len(named) == 1 and said.periods else ()


def _named_cells(said: Said, evidence: Evidence) -> list[Fact]:
    """The cells of rows and periods that a statement names."""
    dated = (fact for fact in evidence.cells if fact.periods and _in_time(fact.periods, said.periods))
    return [fact for fact in dated if fact.entry and likeness(fact.entry.label, said.words) == 1.0]


def stated_of(value: str, *, unit: str = "", working: str = "") -> Stated | None:
    """A stated figure from a value as written (`$1,496.5`, `-22.22`) and the unit beside it (`million`, `percent`)."""
    amount = read_cell(f"{value} {unit}".strip()) or read_cell(value)
    return Stated(amount, working) if amount else None
