"""Findings as the page shows them: by kind, each figure in words with the place that it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from metier.core.i18n import Language
from metier.web.render import say

if TYPE_CHECKING:
    from metier.specialists.finance.schema import Exhibit, Figure, Finding, Findings, Spot
    from metier.specialists.finance.telling import Teller

MOST_OF_KIND = 200
MOST_TABLE_ROWS = 200


@dataclass(frozen=True)
class ShownFigure:
    """text: with unit and currency; said: where it is read from, in words; spots: places as the script takes them;
    problem: what the check found wrong with it."""

    label: str
    period: str
    text: str
    source: str
    working: str
    spots: list[dict[str, Any]]
    said: str
    problem: str


@dataclass(frozen=True)
class ShownFinding:
    """by: rules, or the model; spots: where to look first."""

    text: str
    by: str
    figures: list[ShownFigure]
    spots: list[dict[str, Any]]
    flagged: bool


@dataclass(frozen=True)
class ShownRule:
    """A rule with its answer. quotes: what it rests on, in the report's words, with the place of each."""

    rule: str
    status: str
    text: str
    by: str
    quotes: list[tuple[str, str, list[dict[str, Any]]]]


@dataclass(frozen=True)
class ShownCell:
    """A cell of a table. name: as a spreadsheet has it, for marking; figure: whether it is a number."""

    name: str
    text: str
    figure: bool


@dataclass(frozen=True)
class ShownTable:
    """An exhibit where there is no picture of its page. more: rows that are not shown; chart: of a series, as SVG."""

    number: int
    title: str
    table: int
    rows: list[list[ShownCell]]
    more: int
    chart: Markup


def by_kind(found: Findings, language: Language) -> list[tuple[str, list[ShownFinding]]]:
    """The findings of each kind, contradictions first; kinds without any are left out."""
    from metier.specialists.finance.schema import KINDS
    from metier.specialists.finance.telling import Teller

    teller = Teller(language)
    groups = [(kind, [_finding(one, teller) for one in found.of(kind)[:MOST_OF_KIND]]) for kind in KINDS]
    return [(kind, ones) for kind, ones in groups if ones]


def rules_of(found: Findings) -> list[ShownRule]:
    """The answers to the rules, in their order."""
    return [
        ShownRule(
            one.rule,
            one.status,
            one.text,
            one.by,
            [(quote.text, place_words(quote.place), [_spot(quote.place)]) for quote in one.evidence],
        )
        for one in found.rules
    ]


def tables(exhibits: Iterable[Exhibit]) -> list[ShownTable]:
    """Exhibits as tables whose cells can be marked."""
    from metier.report.findings.seriescharts import series_chart
    from metier.specialists.finance.amounts import read_cell
    from metier.specialists.finance.sheets import cell_name

    shown = []
    for one in exhibits:
        lines = one.lines or range(1, len(one.rows) + 1)
        rows = [
            [
                ShownCell(cell_name(line - 1, column), text, read_cell(text) is not None)
                for column, text in enumerate(cells)
            ]
            for line, cells in zip(lines, one.rows[:MOST_TABLE_ROWS], strict=False)
        ]
        chart = series_chart(one)
        drawn = chart.svg() if chart else Markup("")
        more = max(0, len(one.rows) - MOST_TABLE_ROWS)
        shown.append(ShownTable(one.number, one.title, one.table, rows, more, drawn))
    return shown


def _finding(one: Finding, teller: Teller) -> ShownFinding:
    problems = {flag.figure: flag.problem for flag in one.flags}
    figures = [_figure(figure, problems.get(number, ""), teller) for number, figure in enumerate(one.figures)]
    spots = [_spot(one.place)] if one.place is not None else []
    return ShownFinding(one.text, one.by, figures, spots, bool(one.flags))


def _figure(figure: Figure, problem: str, teller: Teller) -> ShownFigure:
    from metier.specialists.finance.amounts import Amount

    decimals = max(0, -int(figure.value.as_tuple().exponent))
    text = teller.amount(Amount(figure.value, figure.unit, figure.scale, figure.currency, decimals))
    said = "; ".join(place_words(spot) for spot in figure.places)
    return ShownFigure(
        figure.label,
        figure.period,
        text,
        figure.source,
        figure.working,
        [_spot(spot) for spot in figure.places],
        said,
        problem,
    )


def place_words(spot: Spot) -> str:
    """A place in words: a sheet's or table's cell, or a page."""
    if spot.sheet and spot.cell:
        return f"{spot.sheet}!{spot.cell}"
    if spot.cell:
        return say("findings_place_cell", page=spot.page, table=spot.table, cell=spot.cell)
    return say("findings_place_page", page=spot.page)


def _spot(spot: Spot) -> dict[str, Any]:
    return {"page": spot.page, "box": spot.box, "table": spot.table, "cell": spot.cell,
            "start": spot.start, "end": spot.end}  # fmt: skip
