"""A folder of findings: HTML and DOCX with the source's picture, XLSX whose figures lead to their cells."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from docx import Document
from openpyxl import load_workbook

from metier.cli.app import main
from metier.core.errors import DataError
from metier.report.findings.files import write_findings
from metier.specialists.finance.schema import Findings
from tests.specialists.finance.annual_report import annual_report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("findings")
    report = annual_report(place / "report.pdf")
    assert main(["ask", "finance", str(report), "--output", str(place / "out"), "--language", "zh"]) == 0
    return place / "out"


def test_every_file_is_there_and_the_json_is_the_findings(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "findings.docx",
        "findings.html",
        "findings.json",
        "findings.xlsx",
    ]
    assert Findings.model_validate_json((folder / "findings.json").read_text()).of("contradiction")


def test_the_page_has_a_picture_beside_each_placed_finding_and_needs_nothing_else(folder: Path) -> None:
    page = (folder / "findings.html").read_text(encoding="utf-8")
    findings = json.loads((folder / "findings.json").read_text())
    placed = [one for one in findings["findings"] if one["place"] and one["place"]["box"]]
    assert page.count("data:image/png;base64,") == len(placed) + len(findings["exhibits"])
    assert not re.search(r"<script|https?://(?!www\.w3\.org)|src=\"(?!data:)", page)
    assert "(12,560.4 - 11,230.8) / 11,230.8" in page


def test_word_has_the_words_and_the_pictures(folder: Path) -> None:
    document = Document(str(folder / "findings.docx"))
    words = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert "变动 18.4%" in words and "无法得出的结论" in words
    assert len(document.inline_shapes) > 20


def test_each_figure_of_the_spreadsheet_leads_to_its_cell(folder: Path) -> None:
    book = load_workbook(folder / "findings.xlsx")
    figures = book["数字"]
    row = next(row for row in figures.iter_rows(min_row=2) if row[0].value == "营业收入" and row[1].value == "2023")
    assert row[6].value == 12_560_400_000
    name, cell = row[9].hyperlink.location.split("!")
    assert book[name.strip("'")][cell].value == 12560.4


def test_text_of_a_report_never_becomes_a_formula_or_markup(tmp_path: Path) -> None:
    from metier.specialists.finance.reading import read_report

    source = tmp_path / "bad.csv"
    source.write_text(
        'item,2022,2023\n"=HYPERLINK(""http://x"")",1,2\n<script>alert(1)</script>,3,4\n', encoding="utf-8"
    )
    write_findings(read_report(source, language="en"), source, tmp_path / "out")
    book = load_workbook(tmp_path / "out" / "findings.xlsx")
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    assert any("=HYPERLINK" in str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)
    page = (tmp_path / "out" / "findings.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("item,2022,2023\na,1,2\n")
    (tmp_path / "out").write_text("mine")
    with pytest.raises(DataError, match="out"):
        write_findings(Findings(name="a.csv", kind="csv"), tmp_path / "a.csv", tmp_path / "out")


def test_what_is_named_wrongly_is_said_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "a.csv"
    source.write_text("item,2022,2023\na,1,2\n")
    for words, said in (
        (["--output", str(tmp_path / "a.html")], f"Such as --output {tmp_path / 'a'}"),
        (["--rules", str(tmp_path / "none.txt")], "There is no file"),
    ):
        assert main(["ask", "finance", str(source), *words]) == 2
        told = capsys.readouterr().err
        assert said in told and "Errno" not in told
    assert main(["ask", "finance", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert main(["ask", "finance", str(source)]) == 0
    assert "--output FOLDER" in capsys.readouterr().out
