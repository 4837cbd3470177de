"""Rules that a figure answers: a limit to a line of a table (`资产负债率不超过70%`), or a line that must have grown.

What would have to be computed from lines first (a ratio, a sum, the growth that a limit is set to) is not judged by the
figure of one line: its answer shows the lines and says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from metier.specialists.finance import computing
from metier.specialists.finance.amounts import Amount, find_amounts, shown
from metier.specialists.finance.evidence import Evidence
from metier.specialists.finance.periods import Period, find_periods
from metier.specialists.finance.schema import Quote, RuleAnswer
from metier.specialists.finance.sheets import Entry, Line
from metier.specialists.finance.telling import Teller, spot

_AT_MOST = re.compile(
    r"不(?:得)?(?:超过|高于|大于|多于)|低于|小于|at most|no more than|not exceed|below|less than", re.IGNORECASE
)
_AT_LEAST = re.compile(
    r"不(?:得)?(?:低于|少于|小于)|高于|大于|超过|at least|no less than|above|more than|exceed", re.IGNORECASE
)
_UP = r"增长|上升|增加|提高|grow(?:n|s)?|grew|increased?|risen?|rose"
_DOWN = r"下降|减少|降低|下滑|fall(?:en|s)?|fell|decreased?|declined?"
_MOVES = re.compile(rf"(?P<up>{_UP})|(?P<down>{_DOWN})", re.IGNORECASE)
# All that may stand around the line, the period and the verb, so that the rule asks for the movement and nothing else.
_AROUND = re.compile(
    r"应当?|必须|须|需要?|是否|已|有所|实现|保持|同比|(?:较|比)(?:上年|去年)(?:同期)?|的|在|中|年度?|"
    r"\b(?:the|company|company's|must|should|shall|may|did|does|do|has|have|had|is|to|in|of|year|fiscal|over|from|on|against|"
    r"compared with|previous|prior|last)\b|[\s.?!,。？！，]",
    re.IGNORECASE,
)
_MOST_ROWS = 3
_LONGEST_ROW = 12  # figures of a line that a quotation shows
_NOT = re.compile(r"不(?:得|应|能|可|允许)?|未|没有|\b(?:not|never)\b", re.IGNORECASE)
# Words by which a rule is about something computed from lines, not about a line's own figure.
_COMPUTED = re.compile(
    rf"{_UP}|{_DOWN}|增速|增幅|降幅|变动|变化|同比|环比|占|之比|比例|比率|倍数|除以|乘以|减去|合计|之和|差额|人均|每股|"
    r"[/÷×]|\b(?:divided|times|multiple|plus|minus|ratio|share|percentage|proportion|per|sum|total|average|growth|changed?)\b",
    re.IGNORECASE,
)


def by_figure(rule: str, evidence: Evidence, tell: Teller) -> RuleAnswer | None:
    """The answer that a figure gives, kept or not kept, or the lines that it would have to be computed from; None for
    rules about something else."""
    lines = sorted((line for sheet in evidence.sheets for line in sheet.lines()), key=lambda one: -len(one.short))
    named = [line for line in lines if len(line.short) > 1 and _named(line).search(rule)]
    periods = [one.period for one in find_periods(rule)]
    return _limited(rule, named, periods, tell) or _moved(rule, named, periods, tell)


def _limited(rule: str, named: Sequence[Line], periods: Sequence[Period], tell: Teller) -> RuleAnswer | None:
    amounts = find_amounts(rule)
    most, least = _AT_MOST.search(rule), _AT_LEAST.search(rule)
    if len(amounts) != 1 or not (most or least):
        return None
    below = most is not None and (least is None or most.start() <= least.start())
    [limit] = amounts
    said = _AT_LEAST.sub(" ", _AT_MOST.sub(" ", rule[: limit.start] + " " + rule[limit.end :]))
    for line in named:
        entry = _entry(line, periods)
        value = _comparable(entry.amount, limit) if entry else None
        if entry is None or value is None:
            continue
        rest = _without(said, line)
        if _COMPUTED.search(rest) or any(_named(other).search(rest) for other in named):
            return _to_compute(rule, named, periods, tell)
        kept = value <= limit.full if below else value >= limit.full
        text = tell.say(
            "rule_met" if kept else "rule_broken",
            label=line.short,
            value=tell.amount(entry.amount),
            period=entry.period or "",
        )
        return _answer(rule, kept, text, line, entry)
    return None


def _moved(rule: str, named: Sequence[Line], periods: Sequence[Period], tell: Teller) -> RuleAnswer | None:
    """Of a rule that asks for nothing but that a line rose or fell, or did not."""
    for line in named:
        rest = _without(rule, line)
        for one in find_periods(rest):
            rest = rest[: one.start] + " " * (one.end - one.start) + rest[one.end :]
        verbs = list(_MOVES.finditer(rest))
        if len(verbs) != 1 or _AROUND.sub("", _NOT.sub("", _MOVES.sub("", rest))):
            continue
        entry = _entry(line, periods)
        before = line.at(entry.period.before()) if entry and entry.period else None
        if (
            entry is None
            or before is None
            or (change := computing.growth(entry.amount.full, before.amount.full)) is None
        ):
            continue
        kept = (change > 0 if verbs[0].group("up") else change < 0) != bool(_NOT.search(rest))
        text = tell.say(
            "rule_rose" if kept else "rule_rose_not",
            label=line.short,
            old=tell.amount(before.amount),
            new=tell.amount(entry.amount),
            before=before.period,
            period=entry.period,
            change=tell.change(change),
        )
        return _answer(rule, kept, text, line, entry)
    return None


def _entry(line: Line, periods: Sequence[Period]) -> Entry | None:
    """A line's figure of the last period that the rule names, or its newest one."""
    if periods:
        return line.at(periods[-1])
    return next(iter(line.over_time()[-1:]), None)


def _named(line: Line) -> re.Pattern[str]:
    """A line's name as whole words: `Low` does not stand in `below`."""
    return re.compile(rf"(?<![A-Za-z]){re.escape(line.short)}s?(?![A-Za-z])", re.IGNORECASE)


def _without(rule: str, line: Line) -> str:
    return _named(line).sub(" ", rule)


def _comparable(cell: Amount, limit: Amount) -> Decimal | None:
    """A cell's value in ones, where it is in the limit's unit and currency."""
    if cell.unit != limit.unit or (cell.currency and limit.currency and cell.currency != limit.currency):
        return None
    return None if cell.unit == "number" and cell.scale is None and limit.scale else cell.full


def _answer(rule: str, kept: bool, text: str, line: Line, entry: Entry) -> RuleAnswer:
    return RuleAnswer(rule=rule, status="met" if kept else "broken", text=text, evidence=[_row(line, entry)])


def _to_compute(rule: str, named: Sequence[Line], periods: Sequence[Period], tell: Teller) -> RuleAnswer:
    rows = {line.short: _row(line, entry) for line in named if (entry := _entry(line, periods))}
    shown_rows = list(rows.values())[:_MOST_ROWS]
    text = tell.say("rule_to_compute", page=shown_rows[0].place.page)
    return RuleAnswer(rule=rule, status="found", text=text, evidence=shown_rows)


def _row(line: Line, entry: Entry) -> Quote:
    """A line as evidence; of a long one the figures up to the one that is meant."""
    at = line.entries.index(entry) + 1 if len(line.entries) > _LONGEST_ROW else len(line.entries)
    kept = line.entries[max(0, at - _LONGEST_ROW) : at]
    figures = [f"{one.period or one.column}: {shown(one.amount.value, one.amount.decimals)}" for one in kept]
    return Quote(
        text=" | ".join([line.short, *(["…"] if len(kept) < len(line.entries) else []), *figures]),
        place=spot(entry.place),
        support=1.0,
    )
