"""What rules and tools can say of one table: what it shows, its trends, comparisons, sums, and what it leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from metier.specialists.finance import computing
from metier.specialists.finance.amounts import shown
from metier.specialists.finance.candidates import is_total
from metier.specialists.finance.schema import Figure, Finding
from metier.specialists.finance.sheets import Entry, Line, Sheet
from metier.specialists.finance.telling import Teller, computed_figure, figure_of, finding, spot

MOST_TRENDS = 8
_SLACK = Decimal("0.5")  # of the last digit, a summand


def table_findings(sheet: Sheet, exhibit: int, tell: Teller) -> list[Finding]:
    """The findings of a table."""
    lines = [line for line in sheet.lines() if line.short]
    found = [
        _shown(sheet, lines, exhibit, tell),
        *_trends(lines, exhibit, tell),
        *_comparisons(sheet, lines, exhibit, tell),
        *_sums(sheet, exhibit, tell),
        *_changes(sheet, exhibit, tell),
        *_open(sheet, lines, exhibit, tell),
    ]
    for one in found:
        one.place = one.place or spot(sheet.place)
    return found


def _shown(sheet: Sheet, lines: list[Line], exhibit: int, tell: Teller) -> Finding:
    periods = [str(period) for period in sheet.periods()]
    span = (
        tell.say("of_periods", first=periods[0], last=periods[-1])
        if len(periods) > 1
        else (tell.say("of_period", period=periods[0]) if periods else "")
    )
    text = tell.say(
        "shown",
        number=sheet.number,
        title=sheet.title or tell.say("untitled"),
        rows=len(lines),
        figures=len(sheet.entries),
        span=span,
        unit=sheet.unit and f", {sheet.unit}",
    )
    return finding("shown", text, exhibit=exhibit, place=spot(sheet.place))


def _trends(lines: list[Line], exhibit: int, tell: Teller) -> Iterator[Finding]:
    """How each line went, those that moved most first."""
    told: list[tuple[Decimal, Finding]] = []
    for line in lines:
        entries = line.over_time()
        if len(entries) < 2:
            continue
        change, text, figures = _trend(line, entries, tell)
        made = finding("trend", text, figures, exhibit=exhibit, place=spot(entries[-1].place))
        told.append((abs(change), made))
    told.sort(key=lambda one: -one[0])
    for _, one in told[:MOST_TRENDS]:
        yield one


def _trend(line: Line, entries: list[Entry], tell: Teller) -> tuple[Decimal, str, list[Figure]]:
    first, last = entries[0], entries[-1]
    old, new = first.amount, last.amount
    figures = [figure_of(entry) for entry in entries]
    if new.unit in ("percent", "points", "bps"):
        change = new.value - old.value
        said = tell.change(change, "points")
        figures.append(
            computed_figure(line.short, change, "points", f"{shown(new.value)} - {shown(old.value)}", [first, last])
        )
    else:
        grown = computing.growth(new.full, old.full)
        change = grown if grown is not None else Decimal(0)
        said = tell.change(change) if grown is not None else tell.say("from_nothing")
        if grown is not None:
            working = computing.growth_working(new.value, old.value)
            figures.append(computed_figure(line.short, grown, "percent", working, [first, last]))
    key = "trend" if len(entries) == 2 else f"trend_{_direction([entry.amount.full for entry in entries])}"
    years = last.period.year - first.period.year if last.period and first.period else 0
    yearly = computing.yearly_growth(new.full, old.full, years) if len(entries) > 2 and new.unit == "number" else None
    more = ""
    if yearly is not None:
        more = tell.say("yearly", change=tell.change(yearly))
        working = f"({shown(new.value)} / {shown(old.value)})^(1/{years}) - 1"
        figures.append(computed_figure(line.short, yearly, "percent", working, [first, last]))
    text = tell.say(
        key,
        label=line.short,
        old=tell.amount(old),
        new=tell.amount(new),
        old_period=first.period,
        new_period=last.period,
        change=said,
        yearly=more,
    )
    return change, text, figures


def _direction(values: list[Decimal]) -> str:
    steps = [new - old for old, new in pairwise(values)]
    if all(step >= 0 for step in steps):
        return "up"
    return "down" if all(step <= 0 for step in steps) else "mixed"


def _comparisons(sheet: Sheet, lines: list[Line], exhibit: int, tell: Teller) -> Iterator[Finding]:
    """Which line grew most and least between the last two periods, and which part of a total is the largest."""
    grown: list[tuple[Decimal, Line, list[Entry]]] = []
    for line in lines:
        pair = line.over_time()[-2:]
        if len(pair) == 2 and pair[0].amount.unit == "number":
            value = computing.growth(pair[1].amount.full, pair[0].amount.full)
            if value is not None and not is_total(line.name):
                grown.append((value, line, pair))
    if len(grown) > 2:
        grown.sort(key=lambda one: one[0])
        low, high = grown[0], grown[-1]
        figures = [
            computed_figure(
                line.short, value, "percent", computing.growth_working(pair[1].amount.value, pair[0].amount.value), pair
            )
            for value, line, pair in (high, low)
        ]
        yield finding(
            "comparison",
            tell.say(
                "most_and_least" if low[0] >= 0 else "up_and_down" if high[0] > 0 else "least_and_most",
                high=high[1].short,
                high_change=tell.change(high[0]),
                low=low[1].short,
                low_change=tell.change(low[0]),
                old=low[2][0].period,
                new=low[2][1].period,
            ),
            figures,
            exhibit=exhibit,
        )
    for total, parts in _blocks(sheet):
        largest = max(parts, key=lambda entry: entry.amount.full)
        value = computing.share(largest.amount.full, total.amount.full)
        if (
            value is None
            or total.column_number != _last_column(sheet)
            or not 0 < value < 100
            or not _adds_up(total, parts)
        ):
            continue
        working = f"{shown(largest.amount.value)} / {shown(total.amount.value)}"
        name = largest.label.rpartition(" / ")[2]
        yield finding(
            "comparison",
            tell.say(
                "largest_part",
                total=total.label.rpartition(" / ")[2],
                label=name,
                share=shown(value, 2),
                period=total.period or "",
            ),
            [computed_figure(name, value, "percent", working, [largest, total])],
            exhibit=exhibit,
        )


def _sums(sheet: Sheet, exhibit: int, tell: Teller) -> Iterator[Finding]:
    """Totals that do not add up in one column although they do in another: only that is sure to be a mistake."""
    by_row: dict[int, list[tuple[Entry, list[Entry]]]] = {}
    for total, parts in _blocks(sheet):
        by_row.setdefault(total.row_number, []).append((total, parts))
    for blocks in by_row.values():
        right = [block for block in blocks if _adds_up(*block)]
        for total, parts in blocks:
            if right and (total, parts) not in right:
                value = sum((entry.amount.value for entry in parts), Decimal(0))
                working = " + ".join(shown(entry.amount.value) for entry in parts)
                label = total.label.rpartition(" / ")[2]
                made = computed_figure(
                    label,
                    value,
                    "number",
                    working,
                    [*parts, total],
                    scale=total.amount.scale or 1,
                    currency=total.amount.currency,
                )
                yield finding(
                    "contradiction",
                    tell.say(
                        "sum_wrong",
                        label=label,
                        period=total.period or total.column,
                        stated=shown(total.amount.value),
                        value=shown(value),
                    ),
                    [figure_of(total), made],
                    exhibit=exhibit,
                )


def _blocks(sheet: Sheet) -> Iterator[tuple[Entry, list[Entry]]]:
    """Each total with the figures above it that it may be of, back to the total before."""
    for column in sorted({entry.column_number for entry in sheet.entries}):
        parts: list[Entry] = []
        for entry in sheet.column(column):
            if entry.change or entry.amount.unit != "number":
                continue
            if is_total(entry.label):
                if len(parts) > 1:
                    yield entry, parts
                parts = []
            elif "其中" not in entry.label:
                parts.append(entry)


def _adds_up(total: Entry, parts: list[Entry]) -> bool:
    step = Decimal(1).scaleb(-total.amount.decimals)
    off = abs(sum((entry.amount.value for entry in parts), Decimal(0)) - total.amount.value)
    return off <= step * _SLACK * (len(parts) + 1)


def _last_column(sheet: Sheet) -> int:
    """The column of the latest period."""
    dated = [entry for entry in sheet.entries if entry.period]
    if not dated:
        return min((entry.column_number for entry in sheet.entries), default=0)
    return max(dated, key=lambda entry: str(entry.period)).column_number


def _changes(sheet: Sheet, exhibit: int, tell: Teller) -> Iterator[Finding]:
    """Changes that a table states itself and that do not follow from its figures."""
    for line in sheet.lines():
        pair = line.over_time()[-2:]
        stated = [entry for entry in line.entries if entry.change and entry.amount.unit == "percent"]
        if len(pair) != 2 or len(stated) != 1 or pair[1].amount.unit != "number":
            continue
        value = computing.growth(pair[1].amount.full, pair[0].amount.full)
        step = Decimal(1).scaleb(-stated[0].amount.decimals)
        # The figures are rounded themselves: what they can be off by goes into the growth.
        blurs = [
            Decimal(50).scaleb(-entry.amount.decimals) / (abs(pair[0].amount.value) or Decimal(1)) for entry in pair
        ]
        blur = step + sum(blurs, Decimal(0))
        if value is not None and abs(abs(value) - abs(stated[0].amount.value)) > blur:
            working = computing.growth_working(pair[1].amount.value, pair[0].amount.value)
            made = computed_figure(line.short, value, "percent", working, pair)
            yield finding(
                "contradiction",
                tell.say("change_wrong", label=line.short, stated=shown(stated[0].amount.value), value=shown(value, 2)),
                [figure_of(stated[0]), made],
                exhibit=exhibit,
            )


def _open(sheet: Sheet, lines: list[Line], exhibit: int, tell: Teller) -> Iterator[Finding]:
    """What cannot be concluded from it."""
    number = sheet.number
    if sheet.entries and not sheet.periods():
        yield finding("not_concluded", tell.say("open_period", number=number), exhibit=exhibit)
    elif sheet.entries and all(len(line.over_time()) < 2 for line in lines):
        yield finding("not_concluded", tell.say("open_trend", number=number), exhibit=exhibit)
    amounts = [entry for entry in sheet.entries if entry.amount.unit == "number"]
    if amounts and sheet.scale is None and not any(entry.amount.scale for entry in amounts):
        yield finding("not_concluded", tell.say("open_unit", number=number), exhibit=exhibit)
