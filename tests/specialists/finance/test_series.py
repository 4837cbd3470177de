"""Indicators against hand-computed and published values; a long series is summed up with the figures it rests on."""

from __future__ import annotations

import math
from datetime import date, timedelta
from pathlib import Path

import pytest

from metier.core.errors import DataError
from metier.specialists.finance import indicators
from metier.specialists.finance.reading import read_report

# Fifteen closes and the RSI of 70.53 that StockCharts' school publishes for them.
CLOSES = [44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931, 46.0328,
          45.6140, 46.2820, 46.2820, 46.0028, 46.0328]  # fmt: skip


def test_rsi_is_wilder_s() -> None:
    track = indicators.relative_strength(CLOSES)
    assert track[:14] == [None] * 14
    assert [round(value, 2) for value in track[14:] if value] == [70.53, 66.32, 66.55]


def test_averages_and_bands_by_hand() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 10.0]
    assert indicators.moving_average(values, 3) == [None, None, 2.0, 3.0, pytest.approx(17 / 3)]
    assert indicators.exponential_average(values, 3) == [None, None, 2.0, 3.0, 6.5]
    low, high = indicators.bands(values, 3)
    assert (low[2], high[2]) == (pytest.approx(2 - 2 * math.sqrt(2 / 3)), pytest.approx(2 + 2 * math.sqrt(2 / 3)))


def test_macd_is_the_difference_of_two_averages_and_its_signal() -> None:
    values = [float(place) for place in range(60)]
    line, signal, between = indicators.convergence(values)
    # Of a straight line an average lags by (span - 1) / 2: 12.5 - 5.5.
    assert (line[-1], signal[-1], between[-1]) == (pytest.approx(7.0), pytest.approx(7.0), pytest.approx(0.0, abs=1e-9))
    assert line[24] is None and line[25] is not None and signal[32] is None and signal[33] is not None


def test_returns_volatility_drawdown_and_growth_by_hand() -> None:
    assert indicators.returns([100, 110, 99]) == [None, pytest.approx(0.1), pytest.approx(-0.1)]
    assert indicators.drawdown([100, 120, 90, 130, 117]) == (-0.25, 1, 2)
    assert indicators.volatility([100, 110, 100, 110], 252) == pytest.approx(
        math.sqrt(4 / 3) * math.log(1.1) * math.sqrt(252), rel=1e-9
    )
    assert indicators.over_year([100, 50, 120, 60], 2) == [None, None, pytest.approx(0.2), pytest.approx(0.2)]


def test_true_range_and_stochastics_by_hand() -> None:
    high, low, close = [10.0, 12.0, 11.0], [8.0, 9.0, 7.0], [9.0, 11.0, 8.0]
    assert indicators.true_range(high, low, close, 2) == [None, 2.5, 3.25]
    k, d, j = indicators.stochastics(high, low, close, 3)
    raw = (8 - 7) / (12 - 7) * 100
    assert k[-1] == pytest.approx(50 + (raw - 50) / 3)
    assert d[-1] == pytest.approx(50 + (raw - 50) / 9)
    assert j[-1] == pytest.approx(3 * k[-1] - 2 * d[-1])  # type: ignore[operator]


def days(path: Path, count: int = 600) -> Path:
    """Prices of working days that rise, fall by half, and rise again."""
    rows, day = ["日期,开盘,最高,最低,收盘,成交量"], date(2021, 1, 4)
    for place in range(count):
        close = 100 + place if place < 100 else 200 - (place - 100) if place < 200 else 100 + (place - 200) * 0.3
        rows.append(f"{day},{close - 1:.2f},{close + 2:.2f},{close - 2:.2f},{close:.2f},{1000 + place}")
        day += timedelta(3 if day.weekday() == 4 else 1)
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_a_long_series_is_summed_up_year_by_year_with_its_cells(tmp_path: Path) -> None:
    findings = read_report(days(tmp_path / "k.csv"), language="zh")
    [fall] = [one for one in findings.of("risk") if "最大回撤" in one.text]
    assert "-50.00 %" in fall.text
    assert [figure.places[0].cell for figure in fall.figures[:2]] == ["E102", "E202"]
    assert sum("年收盘" in one.text for one in findings.of("figure")) == 3
    assert all(figure.places for one in findings.findings for figure in one.figures)
    points = findings.exhibits[0].points
    assert points and len(points.labels) <= 260 and points.candles[3] == "收盘"
    assert max(value for value in points.columns["最高"] if value) == 221.7  # what is drawn together keeps the highest


def test_months_have_growth_over_the_year_and_the_month_before(tmp_path: Path) -> None:
    rows = [f"{2022 + place // 12}-{place % 12 + 1:02d},{100 + place}" for place in range(14)]
    (tmp_path / "m.csv").write_text("月份,CPI\n" + "\n".join(rows), encoding="utf-8")
    told = " ".join(one.text for one in read_report(tmp_path / "m.csv", language="zh").of("comparison"))
    assert "同比（对 2022-02）：+11.88 %" in told and "环比（对 2023-01）：+0.89 %" in told


def test_parquet_is_read_and_what_is_no_series_is_said(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"day": [date(2023, 1, 1) + timedelta(n) for n in range(30)], "value": list(range(1, 31))}),
                   tmp_path / "a.parquet")  # fmt: skip
    assert any("2023-01-30" in one.text for one in read_report(tmp_path / "a.parquet", language="en").of("trend"))
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="column of days"):
        read_report(tmp_path / "b.parquet", language="en")
    (tmp_path / "c.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError):
        read_report(tmp_path / "c.parquet")


@pytest.mark.slow
def test_a_series_is_drawn_as_candles_on_the_page_and_in_word(tmp_path: Path) -> None:
    from docx import Document

    from metier.cli.app import main

    assert main(["ask", "finance", str(days(tmp_path / "k.csv")), "--output", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "findings.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1 and page.count("<rect") >= 500 and "MA20" in page
    assert len(Document(str(tmp_path / "out" / "findings.docx")).inline_shapes) == 1
