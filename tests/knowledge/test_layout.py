"""What a page's edge tore apart is whole again: paragraphs, words, columns, tables; what runs along is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metier.knowledge.pagepictures import find_boxes
from metier.knowledge.reading import read_document
from tests.knowledge import pdfs


def test_headers_footers_and_page_numbers_are_left_out_and_told(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        for page in range(1, 5):
            canvas.drawString(72, 810, "Staff handbook, second edition")
            canvas.drawString(72, 700, f"Rule {'abcd'[page]}" if page < 4 else "The last rule")
            canvas.drawString(290, 30, f"- {page} -")
            canvas.showPage()

    document = read_document(pdfs.drawn(tmp_path / "book.pdf", draw))
    assert document.text == "Rule b\nRule c\nRule d\nThe last rule"
    (notice,) = document.notices
    assert "Staff handbook" in notice.text() and "- 1 -" in notice.text()


def test_a_word_parted_by_a_hyphen_and_a_sentence_over_two_pages_are_whole(tmp_path: Path) -> None:
    first = [
        "The employer shall give the employee a written con-",
        "tract before the first day of work, and the employ-",
    ]
    document = read_document(pdfs.lines(tmp_path / "torn.pdf", first, ["ee shall sign it."], font="Helvetica"))
    assert document.text == (
        "The employer shall give the employee a written contract before the first day of work, and the employee shall"
        " sign it."
    )
    assert document.page_at(document.text.index("shall sign")) == 2


TABLE = [
    ("Item", "2023", "2024", "Change"),
    ("Revenue", "1,200.50", "1,450.75", "20.8%"),
    ("Profit", "130.00", "", "-3.1%"),
    ("Staff", "52", "61", "17.3%"),
]


def test_a_table_keeps_its_rows_its_header_and_its_empty_cells_and_each_word_has_its_box(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(72, 780, "The figures of the last two years, in thousands, as they were audited:")
        for number, row in enumerate(TABLE):
            for place, cell in enumerate(row):
                canvas.drawString(72 + 110 * place, 750 - 18 * number, cell)
        canvas.drawString(72, 660, "All figures are those of the group.")

    path = pdfs.drawn(tmp_path / "table.pdf", draw)
    document = read_document(path)
    (table,) = document.tables
    assert table.header == 1
    assert document.text[table.start : table.end].split("\n") == [" | ".join(row) for row in TABLE]
    assert document.text.endswith("\nAll figures are those of the group.")
    place = document.text.index("1,450.75")
    (box,) = find_boxes(path, document, place, place + len("1,450.75"))
    assert 292 / 595 - 0.01 < box.left < box.right < 400 / 595
    assert (842 - 732) / 842 - 0.03 < box.top < box.bottom < (842 - 732) / 842 + 0.02


def test_columns_are_read_one_after_the_other_though_the_file_goes_across(tmp_path: Path) -> None:
    left = [f"the left column goes on downwards here, line {number}" for number in range(8)]
    right = [f"and the right one is read only after it, line {number}" for number in range(8)]

    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica", 9)
        for number, (one, other) in enumerate(zip(left, right, strict=True)):
            canvas.drawString(60, 760 - 12 * number, one)
            canvas.drawString(320, 760 - 12 * number, other)

    document = read_document(pdfs.drawn(tmp_path / "columns.pdf", draw))
    assert document.text.split() == " ".join([*left, *right]).split()
    assert document.tables == ()


def test_a_paragraph_in_a_column_is_one_paragraph(tmp_path: Path) -> None:
    words = "公司应当按照国家规定的标准支付报酬并保存记录备查"

    def draw(canvas: Any) -> None:
        canvas.setFont(pdfs.FONT, 9)
        for start in (60, 320):
            for number in range(6):
                canvas.drawString(start, 760 - 12 * number, words if number < 5 else words[:10] + "。")

    document = read_document(pdfs.drawn(tmp_path / "paragraphs.pdf", draw))
    assert document.text == "\n".join([words * 5 + words[:10] + "。"] * 2)


def test_two_words_far_apart_on_a_line_are_no_table(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(72, 760, "Party A:")
        canvas.drawString(320, 760, "Party B:")
        canvas.drawString(72, 600, "This is the first clause of the contract between the parties.")

    document = read_document(pdfs.drawn(tmp_path / "parties.pdf", draw))
    assert document.tables == ()
    assert document.text == "Party A: Party B:\nThis is the first clause of the contract between the parties."
