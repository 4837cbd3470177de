"""What tools can say of a series: first and last, high and low, falls, volatility, indicators, and each year of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal

from metier.specialists.finance import indicators
from metier.specialists.finance.amounts import Unit
from metier.specialists.finance.schema import Exhibit, Figure, Finding, FindingKind, SeriesPoints, Spot
from metier.specialists.finance.series import Series
from metier.specialists.finance.telling import Teller

MOST_POINTS = 260  # of a chart
MOST_COLUMNS = 6
_OVERBOUGHT, _OVERSOLD = 70, 30
_DEEP, _WILD = -0.2, 0.4


def series_exhibit(series: Series, number: int) -> Exhibit:
    """The series for charts, long ones drawn together into fewer points."""
    return Exhibit(
        number=number,
        kind="series",
        title=series.name,
        periods=[series.labels[0], series.labels[-1]],
        points=chart_points(series),
    )


def series_findings(series: Series, exhibit: int, tell: Teller) -> list[Finding]:
    """The findings of a series; of prices those of the close."""
    close = series.role("close")
    wanted = [close] if close and series.is_price else list(series.columns)[:MOST_COLUMNS]
    found = [_shown(series, exhibit, tell)]
    for column in wanted:
        found += _Column(series, column, exhibit, tell).findings()
    if left := series.left_out:
        found.append(Finding(kind="not_concluded", text=tell.say("series_left_out", count=left), exhibit=exhibit))
    found.append(Finding(kind="not_concluded", text=tell.say("series_future"), exhibit=exhibit))
    return found


def _shown(series: Series, exhibit: int, tell: Teller) -> Finding:
    text = tell.say(
        "series_shown",
        name=series.name,
        points=len(series.days),
        first=series.labels[0],
        last=series.labels[-1],
        columns="、".join(series.columns) if tell.language == "zh" else ", ".join(series.columns),
    )
    return Finding(kind="shown", text=text, exhibit=exhibit)


class _Column:
    """One column of a series, without its gaps."""

    def __init__(self, series: Series, column: str, exhibit: int, tell: Teller) -> None:
        self.series, self.column, self.exhibit, self.tell = series, column, exhibit, tell
        self.points = [place for place, value in enumerate(series.columns[column]) if not math.isnan(value)]
        self.values = [series.columns[column][place] for place in self.points]

    def findings(self) -> list[Finding]:
        if len(self.values) < 2:
            return []
        return [*self._whole(), *self._years(), *self._growth(), *self._fall(), *self._state()]

    def _whole(self) -> Iterator[Finding]:
        """From the first point to the last, with the highest and lowest between them."""
        values = self.values
        high, low = max(range(len(values)), key=values.__getitem__), min(range(len(values)), key=values.__getitem__)
        figures = [self._cell(0), self._cell(len(values) - 1), self._cell(high), self._cell(low)]
        change = ""
        if values[0] > 0:
            grown = values[-1] / values[0] - 1
            change = self.tell.say("series_by", change=self.tell.change(Decimal(str(round(grown * 100, 2)))))
            figures.append(
                self._made(
                    grown * 100, "percent", f"{_text(values[-1])} / {_text(values[0])} - 1", [0, len(values) - 1]
                )
            )
        text = self.tell.say(
            "series_whole",
            name=self.column,
            first=_text(values[0]),
            first_day=self._label(0),
            last=_text(values[-1]),
            last_day=self._label(len(values) - 1),
            change=change,
            high=_text(values[high]),
            high_day=self._label(high),
            low=_text(values[low]),
            low_day=self._label(low),
        )
        yield self._finding("trend", text, figures)

    def _years(self) -> Iterator[Finding]:
        """Each year of a long series by the figures that it rests on."""
        years: dict[int, list[int]] = {}
        for place, point in enumerate(self.points):
            years.setdefault(self.series.days[point].year, []).append(place)
        if len(years) < 2 or self.series.points_a_year < 4:
            return
        before = None
        for year, places in years.items():
            start = places[0] if before is None else before
            figures = [self._cell(start), self._cell(places[-1])]
            change = ""
            if self.values[start] > 0 and places[-1] != start:
                grown = (self.values[places[-1]] / self.values[start] - 1) * 100
                change = self.tell.change(Decimal(str(round(grown, 2))))
                figures.append(
                    self._made(
                        grown,
                        "percent",
                        f"{_text(self.values[places[-1]])} / {_text(self.values[start])} - 1",
                        [start, places[-1]],
                    )
                )
            part = [self.values[place] for place in places]
            text = self.tell.say(
                "series_year",
                name=self.column,
                year=year,
                first=_text(self.values[start]),
                last=_text(part[-1]),
                change=change,
                low=_text(min(part)),
                high=_text(max(part)),
            )
            yield self._finding("figure", text, figures)
            before = places[-1]

    def _growth(self) -> Iterator[Finding]:
        """Of months, quarters and years: the last point against that of a year, and of a point, before."""
        points = self.series.points_a_year
        if points > 12 or len(self.values) != len(self.series.days):
            return
        last = len(self.values) - 1
        for key, back in (("series_yoy", points), ("series_qoq", 1)):
            share = indicators.over_year(self.values, back)[last]
            if (key == "series_qoq" and points == 1) or share is None:
                continue
            grown = share * 100
            working = f"{_text(self.values[last])} / {_text(self.values[last - back])} - 1"
            text = self.tell.say(
                key,
                name=self.column,
                day=self._label(last),
                before=self._label(last - back),
                change=self.tell.change(Decimal(str(round(grown, 2)))),
            )
            yield self._finding(
                "comparison",
                text,
                [self._cell(last - back), self._cell(last), self._made(grown, "percent", working, [last - back, last])],
            )

    def _fall(self) -> Iterator[Finding]:
        """The deepest fall, and how much it swings; large ones are risks. Of what can be below nothing, neither."""
        if min(self.values) <= 0 or len(self.values) < 20:
            return
        depth, peak, trough = indicators.drawdown(self.values)
        if depth < 0:
            working = f"{_text(self.values[trough])} / {_text(self.values[peak])} - 1"
            figure = self._made(depth * 100, "percent", working, [peak, trough])
            text = self.tell.say(
                "series_drawdown",
                name=self.column,
                depth=f"{depth * 100:.2f}",
                peak=_text(self.values[peak]),
                peak_day=self._label(peak),
                trough=_text(self.values[trough]),
                trough_day=self._label(trough),
            )
            yield self._finding(
                "risk" if depth <= _DEEP else "comparison", text, [self._cell(peak), self._cell(trough), figure]
            )
        swing = indicators.volatility(self.values, self.series.points_a_year)
        if swing is not None:
            figure = self._made(
                swing * 100, "percent", f"stdev(ln) * sqrt({self.series.points_a_year})", [0, len(self.values) - 1]
            )
            text = self.tell.say(
                "series_volatility", name=self.column, value=f"{swing * 100:.2f}", points=self.series.points_a_year
            )
            yield self._finding("risk" if swing >= _WILD else "comparison", text, [figure])

    def _state(self) -> Iterator[Finding]:
        """Where the last point stands by the indicators, for series that are traded by the day or week."""
        if self.series.points_a_year < 52 or len(self.values) < 60:
            return
        last = [len(self.values) - 1]
        figures = []
        for span in (5, 20, 60):
            figures.append(self._made(indicators.moving_average(self.values, span)[-1], "number", f"MA{span}", last))
        strength = indicators.relative_strength(self.values)[-1]
        line, signal, between = (track[-1] for track in indicators.convergence(self.values))
        figures += [
            self._made(value, "number", name, last)
            for value, name in (
                (strength, "RSI14"),
                (line, "MACD(12,26)"),
                (signal, "MACD signal(9)"),
                (between, "MACD histogram"),
            )
        ]
        if self.series.is_price:
            high, low = (self._others(name) for name in ("high", "low"))
            if high and low:
                k, d, j = (track[-1] for track in indicators.stochastics(high, low, self.values))
                spread = indicators.true_range(high, low, self.values)[-1]
                figures += [
                    self._made(value, "number", name, last)
                    for value, name in ((k, "K(9)"), (d, "D"), (j, "J"), (spread, "ATR14"))
                ]
        told = "、" if self.tell.language == "zh" else ", "
        values = told.join(f"{figure.working} {figure.value}" for figure in figures)
        text = self.tell.say("series_state", name=self.column, day=self._label(last[0]), values=values)
        yield self._finding("figure", text, figures)
        if strength is not None and not _OVERSOLD <= strength <= _OVERBOUGHT:
            key = "series_overbought" if strength > _OVERBOUGHT else "series_oversold"
            yield self._finding("risk", self.tell.say(key, name=self.column, value=f"{strength:.1f}"), [figures[3]])

    def _others(self, role: str) -> list[float]:
        column = self.series.role(role)
        values = [self.series.columns[column][point] for point in self.points] if column else []
        return [] if any(math.isnan(value) for value in values) else values

    def _label(self, place: int) -> str:
        return self.series.labels[self.points[place]]

    def _spot(self, place: int) -> Spot:
        return Spot(table=1, cell=self.series.place(self.column, self.points[place]))

    def _cell(self, place: int) -> Figure:
        value = Decimal(_text(self.values[place]))
        return Figure(
            label=self.column, value=value, period=self._label(place), text=str(value), places=[self._spot(place)]
        )

    def _made(self, value: float | None, unit: Unit, working: str, places: Sequence[int]) -> Figure:
        return Figure(
            label=self.column,
            value=Decimal(str(round(value or 0.0, 4 if unit == "number" else 2))),
            unit=unit,
            period=self._label(places[-1]),
            source="computed",
            working=working,
            places=[self._spot(place) for place in places],
        )

    def _finding(self, kind: FindingKind, text: str, figures: list[Figure]) -> Finding:
        return Finding(kind=kind, text=text, figures=figures, place=figures[0].places[0], exhibit=self.exhibit)


def chart_points(series: Series) -> SeriesPoints:
    """At most `MOST_POINTS` points: of candles the first open, highest high, lowest low and last close of each stretch,
    volumes added; of other columns the last of each stretch."""
    total = len(series.days)
    count = min(total, MOST_POINTS)
    stretches = [(place * total // count, (place + 1) * total // count) for place in range(count)]
    roles = {series.role(name): name for name in ("open", "high", "low", "volume")} if series.is_price else {}
    columns: dict[str, list[float | None]] = {}
    for name, values in list(series.columns.items())[: MOST_COLUMNS + 4]:
        columns[name] = [_together(values[start:end], roles.get(name, "")) for start, end in stretches]
    averages = {}
    close = series.role("close")
    if close and series.is_price and not any(map(math.isnan, series.columns[close])):
        for span in (20, 60):
            track = indicators.moving_average(series.columns[close], span)
            averages[f"MA{span}"] = [track[end - 1] for _, end in stretches]
    candles = (
        [column or "" for column in map(series.role, ("open", "high", "low", "close", "volume"))]
        if series.is_price
        else []
    )
    labels = [series.labels[end - 1] for _, end in stretches]
    return SeriesPoints(
        labels=labels, columns=columns, averages=averages, candles=candles, points_together=math.ceil(total / count)
    )


def _together(values: Sequence[float], role: str) -> float | None:
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return None
    made = {"open": known[0], "high": max(known), "low": min(known), "volume": math.fsum(known)}
    return made.get(role, known[-1])


def _text(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
