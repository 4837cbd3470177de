"""What findings' files say, in the findings' language."""

from __future__ import annotations

from typing import Any

from metier.core.i18n import translate
from metier.specialists.finance.amounts import Amount
from metier.specialists.finance.schema import Figure, Findings, Spot
from metier.specialists.finance.telling import Teller


class Words:
    """Texts of one language."""

    def __init__(self, findings: Findings) -> None:
        self.language = findings.language
        self.teller = Teller(findings.language)
        self.sheets = {one.table: one for one in findings.exhibits}

    def say(self, key: str, **fields: Any) -> str:
        """A text of the report's catalogue."""
        return translate(f"report.findings_{key}", language=self.language, **fields)

    def kind(self, kind: str) -> str:
        """The heading of a kind of findings."""
        return self.teller.say(f"kind_{kind}")

    def value(self, figure: Figure) -> str:
        """A figure with its unit."""
        decimals = max(0, -int(figure.value.as_tuple().exponent))
        scale = figure.scale if figure.scale != 1 else None
        return self.teller.amount(Amount(figure.value, figure.unit, scale, figure.currency, decimals))

    def place(self, spot: Spot) -> str:
        """Where something stands, in few words."""
        if spot.sheet:
            return f"{spot.sheet}!{spot.cell}"
        page = self.say("page", page=spot.page)
        return f"{page} · {self.say('cell', table=spot.table, cell=spot.cell)}" if spot.table and spot.cell else page

    def places(self, figure: Figure) -> str:
        """The places a figure rests on."""
        return "; ".join(dict.fromkeys(self.place(spot) for spot in figure.places))

    def source(self, figure: Figure) -> str:
        """Where a figure comes from: a cell, the text, a picture, or a computation."""
        return self.say(f"source_{figure.source}")
