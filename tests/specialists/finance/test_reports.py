"""A whole report becomes findings: figures from cells, computed by tools, the planted contradiction found."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.knowledge.document import Document
from metier.specialists.finance.reading import findings_of, read_report
from metier.specialists.finance.schema import Findings
from tests.specialists.finance.annual_report import annual_report


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return read_report(annual_report(tmp_path_factory.mktemp("report") / "report.pdf"), language="zh")


def test_the_planted_contradiction_is_the_only_one(findings: Findings) -> None:
    [one] = findings.of("contradiction")
    stated, right = one.figures
    assert (stated.text, stated.source, str(right.value), right.source) == ("18.4%", "text", "11.84", "computed")
    assert right.working == "(12,560.4 - 11,230.8) / 11,230.8"
    assert findings.checked >= 8


def test_a_figure_has_value_unit_period_and_the_box_of_its_cell(findings: Findings) -> None:
    table = findings.exhibits[0]
    revenue = next(one for one in table.figures if (one.label, one.period) == ("营业收入", "2023"))
    assert (str(revenue.value), revenue.scale, revenue.currency) == ("12560.40", 10**6, "CNY")
    [place] = revenue.places
    assert place.page == 1 and place.cell == "B2"
    assert place.box and 0.25 < place.box[1] < place.box[3] < 0.45
    assert table.title.startswith("表1")


def test_trends_comparisons_and_risks_come_from_rules(findings: Findings) -> None:
    assert any("智能仪表" in one.text and "+19.40 %" in one.text for one in findings.of("trend"))
    assert any("46.77" in one.text for one in findings.of("comparison"))
    risks = " ".join(one.text for one in findings.of("risk"))
    assert "有利润而无现金" in risks and "应收账款增速快于营业收入" in risks and "material weakness" in risks
    assert findings.of("not_concluded")


def test_a_chart_is_an_exhibit_whose_values_are_not_made_up(findings: Findings) -> None:
    [chart] = [one for one in findings.exhibits if one.kind == "picture"]
    assert (chart.place.page, chart.title) == (2, "图1 2021年至2023年分产品收入（百万元）")
    assert chart.place.box and 0.28 < chart.place.box[1] < chart.place.box[3] < 0.65
    assert chart.figures == []
    assert any("图1" in one.text for one in findings.of("not_concluded"))


def test_findings_are_stored_and_read_again(findings: Findings) -> None:
    assert Findings.model_validate_json(findings.model_dump_json()) == findings


def test_what_could_not_be_read_is_told_in_the_language_of_the_findings(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("项目,2022年,2023年\n营业\u200b收入,100,120\n", encoding="utf-8")
    for language, told in (("en", "invisible"), ("zh", "不可见")):
        [notice] = read_report(source, language=language).notices  # type: ignore[arg-type]
        assert told in notice


def test_a_spreadsheet_s_cells_keep_their_names(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "利润"
    rows: list[list[object]] = [["单位：万元"], [], ["项目", "2022年", "2023年", "同比(%)"], ["营业收入", 100, 120, 25]]
    rows += [["小计", 100, 120], ["甲", 60, 70], ["乙", 40, 55], ["合计", 100, 120]]
    for row in rows:
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    found = read_report(tmp_path / "a.xlsx", language="zh")
    revenue = next(one for one in found.exhibits[0].figures if one.period == "2023")
    assert (revenue.places[0].cell, revenue.places[0].sheet, revenue.full) == ("C4", "利润", 1_200_000)
    told = [one.text for one in found.of("contradiction")]
    assert any("25" in one and "20" in one for one in told)  # the table's own change does not follow
    assert any("125" in one for one in told)  # a total that adds up in 2022 and not in 2023


def test_a_report_without_figures_says_so() -> None:
    document = Document("a.txt", "text", "", "没有表格。", ())
    assert [one.kind for one in findings_of(document, language="zh").findings] == ["not_concluded"]
