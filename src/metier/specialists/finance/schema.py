"""Structured findings: what a report shows, each figure with its place. The JSON schema that models are held to is made
from here, and so is what pages, files and scripts read."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from metier.specialists.finance.amounts import Unit

FindingKind = Literal["shown", "figure", "trend", "comparison", "risk", "contradiction", "not_concluded"]
KINDS: tuple[FindingKind, ...] = (
    "contradiction",
    "shown",
    "figure",
    "trend",
    "comparison",
    "risk",
    "not_concluded",
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Spot(_Strict):
    """Where something stands. page: 1-based; box: left, top, right, bottom as fractions of the page from its upper left
    corner; table: its number in the report; cell: as a spreadsheet names it; start, end: characters of the text."""

    page: int = 1
    box: tuple[float, float, float, float] | None = None
    table: int = 0
    cell: str = ""
    sheet: str = ""
    start: int = 0
    end: int = 0


class Figure(_Strict):
    """A figure of a finding.

    value: as it stands, before its scale; scale: what it is counted in, 1 for ones; full: value times scale; currency:
    ISO 4217; period: `2023`, `2023-H1`, `2023-Q3`, `2023-06-30`; source: read from a cell, from the text, from a
    picture, or computed by a tool, then working says how and places of what.
    """

    label: str = ""
    value: Decimal
    unit: Unit = "number"
    scale: int = 1
    currency: str = ""
    period: str = ""
    text: str = ""
    source: Literal["cell", "text", "picture", "computed"] = "cell"
    working: str = ""
    places: list[Spot] = Field(default_factory=list)

    @property
    def full(self) -> Decimal:
        return self.value * self.scale


class Warned(_Strict):
    """What the check found wrong with a figure of a finding, in words. figure: its number there, from 0."""

    figure: int
    problem: str
    text: str
    found: str = ""
    places: list[Spot] = Field(default_factory=list)


class Finding(_Strict):
    """One finding. by: rules and tools, or the model; place: where to look first; exhibit: number of what it is about;
    flags: figures that tables and texts do not bear out, left in place."""

    kind: FindingKind
    text: str
    figures: list[Figure] = Field(default_factory=list)
    flags: list[Warned] = Field(default_factory=list)
    place: Spot | None = None
    exhibit: int = 0
    by: Literal["rules", "model"] = "rules"


class SeriesPoints(_Strict):
    """A series for a chart. labels: of the points; columns: name → values; averages: moving averages of the close;
    candles: the names of the columns that are open, high, low, close and volume, empty for other series;
    points_together: points of the file that one of these stands for."""

    labels: list[str]
    columns: dict[str, list[float | None]]
    averages: dict[str, list[float | None]] = Field(default_factory=dict)
    candles: list[str] = Field(default_factory=list)
    points_together: int = 1


class Exhibit(_Strict):
    """A table, picture or series of the report. number: from 1, of all of them; table: number among tables, 0 for
    others; scale, currency: of its figures, None and empty where nothing says so; rows: its cells as texts; lines: the
    number of each row in its file, where a spreadsheet counts them."""

    number: int
    kind: Literal["table", "picture", "series"]
    title: str = ""
    unit: str = ""
    table: int = 0
    scale: int | None = None
    currency: str = ""
    periods: list[str] = Field(default_factory=list)
    place: Spot = Spot()
    rows: list[list[str]] = Field(default_factory=list)
    lines: list[int] = Field(default_factory=list)
    points: SeriesPoints | None = None
    figures: list[Figure] = Field(default_factory=list)


class Quote(_Strict):
    """Words of the report. support: how much of a rule's words they say, 0 to 1."""

    text: str
    place: Spot
    support: float = 0.0


class RuleAnswer(_Strict):
    """A rule in plain words and what the report says about it. status: evidence was found or not; of a limit, or where
    a model judged from the evidence, whether it is met."""

    rule: str
    status: Literal["found", "not_found", "met", "broken", "unclear"]
    text: str
    evidence: list[Quote] = Field(default_factory=list)
    by: Literal["rules", "model"] = "rules"


class Findings(_Strict):
    """All that was found in a file. name: as shown; model: who wrote findings beside the rules, empty for nobody;
    checked: figures that were checked, of the text and of the model; notices: what could not be read."""

    name: str
    kind: str
    sha256: str = ""
    title: str = ""
    language: Literal["en", "zh"] = "en"
    pages: int = 1
    period: str = ""
    question: str = ""
    answer: str = ""
    model: str = ""
    exhibits: list[Exhibit] = Field(default_factory=list)
    findings: list[Finding] = Field(default_factory=list)
    rules: list[RuleAnswer] = Field(default_factory=list)
    checked: int = 0
    notices: list[str] = Field(default_factory=list)

    def of(self, kind: FindingKind) -> list[Finding]:
        """The findings of a kind, in their order."""
        return [one for one in self.findings if one.kind == kind]

    def flagged(self) -> list[Finding]:
        """The findings in which a figure is not borne out."""
        return [one for one in self.findings if one.flags]
