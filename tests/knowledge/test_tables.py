"""Tables of PDFs keep their cells, with lines drawn around them or without; headings are marked and never crossed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metier.knowledge.document import Document, Table
from metier.knowledge.passages import split
from metier.knowledge.reading import read_document
from tests.knowledge import hostile, pdfs

GRID = [
    ["Item", "2023", "2024"],
    ["Revenue from contracts\nwith customers", "1,200.50", "1,450.75"],
    ["Loss of the\ndiscontinued part", "(130.00)", "(3.10)"],
    ["合计金额", "1,070.50", "1,447.65"],
]


def rows(document: Document, table: Table) -> list[list[str]]:
    return [line.split(" | ") for line in document.text[table.start : table.end].split("\n")]


def cell(document: Document, table: Table, text: str) -> Any:
    return next(one for one in table.cells if document.text[one.start : one.end] == text)


def platypus(path: Path, *tables: tuple[list[list[str]], list[Any]], before: str = "") -> Path:
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, TableStyle
    from reportlab.platypus import Table as Drawn

    pdfs.drawn(path, lambda canvas: None)  # the Chinese font is known from now on
    style = getSampleStyleSheet()["Normal"]
    style.fontName = pdfs.FONT
    flow: list[Any] = []
    for data, lines in tables:
        flow += [Paragraph(before, style), Spacer(1, 6)] if before else []
        flow += [Drawn(data, style=TableStyle([("FONT", (0, 0), (-1, -1), pdfs.FONT, 10), *lines])), Spacer(1, 30)]
    SimpleDocTemplate(str(path), pagesize=A4).build(flow)
    return path


def test_a_cell_of_a_ruled_table_is_what_lies_in_its_box(tmp_path: Path) -> None:
    path = platypus(tmp_path / "grid.pdf", (GRID, [("GRID", (0, 0), (-1, -1), 0.5, "black")]), before="单位：万元")
    document = read_document(path)
    (table,) = document.tables
    assert rows(document, table) == [[text.replace("\n", " ") for text in row] for row in GRID]
    assert (table.header, table.unit) == (1, "单位：万元")
    loss = cell(document, table, "(130.00)")
    assert (loss.row, loss.column, loss.page) == (2, 1, 1)
    first = cell(document, table, "Item")
    assert first.x0 < first.x1 <= loss.x0 < loss.x1 and loss.y0 < loss.y1 <= first.y0 < first.y1
    assert Document.from_json(document.to_json()) == document


def test_three_lines_make_a_table_and_names_over_columns_span_them(tmp_path: Path) -> None:
    data = [["项目", "本年", "", "上年", ""], ["", "金额", "占比", "金额", "占比"],
            ["营业收入", "1,200", "60%", "1,100", "58%"], ["其他收入", "800", "40%", "797", "42%"]]  # fmt: skip
    lines = [("LINEABOVE", (0, 0), (-1, 0), 1.2, "black"), ("LINEBELOW", (0, 1), (-1, 1), 0.5, "black"),
             ("LINEBELOW", (0, -1), (-1, -1), 1.2, "black"), ("LINEBELOW", (1, 0), (2, 0), 0.5, "black"),
             ("LINEBELOW", (3, 0), (4, 0), 0.5, "black"), ("SPAN", (1, 0), (2, 0)), ("SPAN", (3, 0), (4, 0)),
             ("ALIGN", (1, 0), (-1, -1), "CENTER")]  # fmt: skip
    document = read_document(
        platypus(tmp_path / "three.pdf", (data, lines), (data, lines), before="表1 收入（单位：元）")
    )
    assert len(document.tables) == 2
    for table in document.tables:
        assert rows(document, table) == data
        assert table.header == 2 and table.caption.startswith("表1") and "元" in table.unit
        assert cell(document, table, "本年").columns == 2


def test_a_merged_cell_of_a_grid_says_how_far_it_goes(tmp_path: Path) -> None:
    data = [["Segment", "Year", ""], ["", "2023", "2024"], ["North", "1", "2"], ["South", "3", "(4)"]]
    lines = [("GRID", (0, 0), (-1, -1), 0.5, "black"), ("SPAN", (0, 0), (0, 1)), ("SPAN", (1, 0), (2, 0))]
    document = read_document(platypus(tmp_path / "merged.pdf", (data, lines)))
    (table,) = document.tables
    assert rows(document, table) == data and table.header == 2
    assert cell(document, table, "Segment").rows == 2 and cell(document, table, "Year").columns == 2


def test_a_table_drawn_column_by_column_is_read_by_rows(tmp_path: Path) -> None:
    data = [("Item", "2023", "2024"), ("Revenue", "1,200", "1,450"), ("Costs", "(300)", "(310)"), ("Staff", "52", "61")]

    def draw(canvas: Any) -> None:
        canvas.drawString(72, 780, "What follows was drawn by a program that goes down each column.")
        for column in range(3):
            for number, row in enumerate(data):
                canvas.drawString(72 + 120 * column, 740 - 18 * number, row[column])
        canvas.drawString(72, 640, "All figures are those of the group.")

    document = read_document(pdfs.drawn(tmp_path / "down.pdf", draw))
    (table,) = document.tables
    assert rows(document, table) == [list(row) for row in data]
    assert document.text.endswith("\nAll figures are those of the group.")


def test_lines_of_one_cell_are_one_row_where_space_parts_rows(tmp_path: Path) -> None:
    data = [
        (["Item"], "2023", "2024"),
        (["Revenue from", "contracts"], "1,200", "1,450"),
        (["Costs of", "sales"], "3", "4"),
    ]

    def draw(canvas: Any) -> None:
        top = 740.0
        for names, one, other in data:
            for number, name in enumerate(names):
                canvas.drawString(72, top - 13 * number, name)
            canvas.drawString(220, top, one)
            canvas.drawString(320, top, other)
            top -= 13 * (len(names) - 1) + 24

    document = read_document(pdfs.drawn(tmp_path / "lines.pdf", draw))
    (table,) = document.tables
    assert rows(document, table) == [[" ".join(names), one, other] for names, one, other in data]


def test_headings_are_marked_by_their_letters_and_no_passage_crosses_one(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        top = 780
        for size, font, text in (
            (18, "Helvetica", "Annual report"),
            (10, "Helvetica-Bold", "1 Results"), (10, "Helvetica", "The result of the year was better than planned."),
            (10, "Helvetica-Bold", "2 Outlook"), (10, "Helvetica", "The next year will be as good as this one was."),
        ):  # fmt: skip
            canvas.setFont(font, size)
            canvas.drawString(72, top, text)
            top -= 30

    document = read_document(pdfs.drawn(tmp_path / "report.pdf", draw))
    assert [(one.level, one.text) for one in document.headings] == [
        (1, "Annual report"), (2, "1 Results"), (2, "2 Outlook")
    ]  # fmt: skip
    passages = split(document, "d", kind="plain")
    assert [one.path for one in passages if "year" in one.text] == [
        ("Annual report", "1 Results"), ("Annual report", "2 Outlook")
    ]  # fmt: skip


def test_a_page_of_a_million_lines_is_read_without_its_tables_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "drawing.pdf"
    path.write_bytes(hostile.million_lines(60_000))
    document = read_document(path)
    assert document.text == "The notice period is thirty days."
    assert [notice.key for notice in document.notices] == ["knowledge.notice_drawing"]
