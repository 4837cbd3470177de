"""What a page's edge tore apart is whole again: paragraphs, words, columns, tables; what runs along is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
