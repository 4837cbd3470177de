"""A picture of a page is read like the page: its table by OCR, the planted contradiction found."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.knowledge.pagepictures import page_picture
from metier.specialists.finance.reading import read_report
from tests.specialists.finance.annual_report import annual_report


@pytest.mark.slow
def test_the_table_of_a_picture_is_read_with_its_places(tmp_path: Path) -> None:
    report = annual_report(tmp_path / "report.pdf")
    (tmp_path / "page.png").write_bytes(page_picture(report, 1, width=1400))
    findings = read_report(tmp_path / "page.png", language="zh")
    table = next(one for one in findings.exhibits if one.kind == "table")
    revenue = next(one for one in table.figures if (one.label, one.period) == ("营业收入", "2023"))
    assert (str(revenue.value), revenue.scale, revenue.places[0].cell) == ("12560.40", 10**6, "B2")
    assert revenue.places[0].box and 0.45 < revenue.places[0].box[0] < 0.55
    assert any("18.4%" in one.text for one in findings.of("contradiction"))
