"""Risks that rules can see: in the lines of the statements, and in words that a report's reader should not miss."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from importlib.resources import files

from metier.core.yamltext import parse_yaml
from metier.specialists.finance import computing
from metier.specialists.finance.amounts import shown
from metier.specialists.finance.evidence import Text, split_sentences
from metier.specialists.finance.schema import Figure, Finding, Spot
from metier.specialists.finance.sheets import Entry, Line, Sheet
from metier.specialists.finance.telling import Teller, computed_figure, figure_of, finding

MOST_SENTENCES = 12
_DEBT = Decimal(70)  # percent of assets


def risk_findings(sheets: Sequence[Sheet], texts: Sequence[Text], tell: Teller) -> list[Finding]:
    """What the lines of all tables and the words of the texts warn of."""
    lines = [line for sheet in sheets for line in sheet.lines()]
    return [
        *_losses(lines, tell),
        *_cash(lines, tell),
        *_faster(lines, tell),
        *_debt(lines, tell),
        *_words(texts, tell),
    ]


def _line(lines: Sequence[Line], name: str) -> Line | None:
    """The first line that is called so, by the words of `risk_words.yaml`."""
    pattern = _patterns()["lines"][name]
    return next((line for line in lines if pattern.search(line.short) and line.over_time()), None)


def _losses(lines: Sequence[Line], tell: Teller) -> Iterator[Finding]:
    if (line := _line(lines, "profit")) and line.over_time()[-1].amount.value < 0:
        last = line.over_time()[-1]
        text = tell.say("risk_loss", label=line.short, value=tell.amount(last.amount), period=last.period or "")
        yield finding("risk", text, [figure_of(last)])


def _cash(lines: Sequence[Line], tell: Teller) -> Iterator[Finding]:
    """Profit without cash: the two lines of the same period point in opposite ways."""
    profit, cash = _line(lines, "profit"), _line(lines, "operating_cash")
    if not profit or not cash:
        return
    earned, came = profit.over_time()[-1], cash.over_time()[-1]
    if earned.period == came.period and earned.amount.value > 0 > came.amount.value:
        text = tell.say(
            "risk_cash", profit=tell.amount(earned.amount), cash=tell.amount(came.amount), period=came.period or ""
        )
        yield finding("risk", text, [figure_of(came), figure_of(earned)])


def _faster(lines: Sequence[Line], tell: Teller) -> Iterator[Finding]:
    """Receivables or stocks that grow faster than what is sold."""
    sold = _growth(_line(lines, "revenue"))
    if sold is None:
        return
    for name in ("receivables", "inventory"):
        own = _growth(_line(lines, name))
        if own and own[0] > sold[0] + 10 and own[1][1].period == sold[1][1].period:
            figures = [_grown(*own), _grown(*sold)]
            text = tell.say(
                "risk_faster",
                label=own[1][1].name,
                change=tell.change(own[0]),
                revenue=sold[1][1].name,
                sold=tell.change(sold[0]),
                period=own[1][1].period or "",
            )
            yield finding("risk", text, figures)


def _growth(line: Line | None) -> tuple[Decimal, list[Entry]] | None:
    pair = line.over_time()[-2:] if line else []
    value = computing.growth(pair[1].amount.full, pair[0].amount.full) if len(pair) == 2 else None
    return None if value is None else (value, pair)


def _grown(value: Decimal, pair: list[Entry]) -> Figure:
    old, new = pair[0].amount.value, pair[1].amount.value
    return computed_figure(pair[1].name, value, "percent", computing.growth_working(new, old), pair)


def _debt(lines: Sequence[Line], tell: Teller) -> Iterator[Finding]:
    debts, assets = _line(lines, "liabilities"), _line(lines, "assets")
    if not debts or not assets:
        return
    owed, owned = debts.over_time()[-1], assets.over_time()[-1]
    value = computing.share(owed.amount.full, owned.amount.full)
    if value is not None and owed.period == owned.period and value > _DEBT:
        working = f"{shown(owed.amount.value)} / {shown(owned.amount.value)}"
        text = tell.say("risk_debt", share=shown(value, 2), period=owed.period or "")
        yield finding("risk", text, [computed_figure(debts.short, value, "percent", working, [owed, owned])])


def _words(texts: Sequence[Text], tell: Teller) -> Iterator[Finding]:
    """Sentences with words of risk, quoted as they stand."""
    told = 0
    for text in texts:
        at = 0
        for sentence in split_sentences(text.text):
            at = text.text.index(sentence, at)
            said = " ".join(sentence.split())
            if told < MOST_SENTENCES and len(said) > 8 and _patterns()["words"]["any"].search(said):
                told += 1
                start = text.start + at
                place = Spot(page=text.page, start=start, end=start + len(sentence.rstrip()))
                yield finding("risk", tell.say("risk_words", text=said[:300], page=text.page), place=place)
            at += len(sentence)


@cache
def _patterns() -> dict[str, dict[str, re.Pattern[str]]]:
    """The words of `risk_words.yaml`, as patterns."""
    said = parse_yaml(files(__package__).joinpath("risk_words.yaml").read_text(encoding="utf-8"))
    lines = {name: re.compile("|".join(words), re.IGNORECASE) for name, words in said["lines"].items()}
    return {"lines": lines, "words": {"any": re.compile("|".join(said["words"]), re.IGNORECASE)}}
