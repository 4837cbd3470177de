"""Figures and findings in the user's language."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from metier.core.i18n import Language, translate
from metier.specialists.finance.amounts import Amount, scale_name, shown
from metier.specialists.finance.schema import Figure, Finding, FindingKind, Spot
from metier.specialists.finance.sheets import Entry, Place

_MONEY_ZH = {"CNY": "元", "USD": "美元", "HKD": "港元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元"}


class Teller:
    """Says things in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def say(self, key: str, **fields: Any) -> str:
        """A text of the catalogue."""
        return translate(f"specialists.finance_{key}", language=self.language, **fields)

    def amount(self, amount: Amount) -> str:
        """A figure with its unit: `12,560 million CNY`, `12,560 百万元`, `8.3 %`, `+1.2 points`."""
        number = shown(amount.value, amount.decimals)
        if amount.unit != "number":
            return f"{number} {self.say('unit_' + amount.unit)}" if amount.unit != "percent" else f"{number} %"
        scale = scale_name(amount.scale, self.language)
        if self.language == "zh":
            return f"{number} {scale}{_MONEY_ZH.get(amount.currency, amount.currency)}".rstrip()
        return " ".join(part for part in (number, scale, amount.currency) if part)

    def change(self, value: Decimal, unit: str = "percent") -> str:
        """A change with its sign."""
        sign = "+" if value > 0 else ""
        return f"{sign}{shown(value, 2)} {'%' if unit == 'percent' else self.say('unit_' + unit)}"


def spot(place: Place) -> Spot:
    """A place as findings store it."""
    box = place.box
    return Spot(
        page=place.page,
        box=(box.left, box.top, box.right, box.bottom) if box else None,
        table=place.table,
        cell=place.cell,
        start=place.start,
        end=place.end,
    )


def figure_of(entry: Entry) -> Figure:
    """A cell's figure."""
    return Figure(
        label=entry.name,
        value=entry.amount.value,
        unit=entry.amount.unit,
        scale=entry.amount.scale or 1,
        currency=entry.amount.currency,
        period=str(entry.period or ""),
        text=entry.amount.text,
        source="cell",
        places=[spot(entry.place)],
    )


def computed_figure(
    label: str, value: Decimal, unit: str, working: str, entries: Sequence[Entry], **more: Any
) -> Figure:
    """A figure that a tool computed of cells, rounded to two digits."""
    return Figure(
        label=label,
        value=value.quantize(Decimal("0.01")),
        unit=unit,
        source="computed",
        working=working,
        period=str(entries[-1].period or "") if entries else "",
        places=[spot(entry.place) for entry in entries],
        **more,
    )


def finding(kind: FindingKind, text: str, figures: Sequence[Figure] = (), **more: Any) -> Finding:
    """A finding of the rules; its place is that of its first figure where none is given."""
    place = more.pop("place", None)
    if place is None and figures and figures[0].places:
        place = figures[0].places[0]
    return Finding(kind=kind, text=text, figures=list(figures), place=place, **more)
