"""Pages without text are read from their picture, with a confidence, and their words are found on it again."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from metier.core.errors import DataError
from metier.knowledge.pagepictures import find_boxes
from metier.knowledge.reading import read_document
from tests.knowledge import pdfs


def picture(path: Path) -> Path:
    image = Image.new("RGB", (900, 300), "white")
    pen = ImageDraw.Draw(image)
    pen.text((60, 60), "The notice period is thirty days.", fill="black", font=ImageFont.load_default(40))
    pen.text((60, 160), "Wages are paid monthly.", fill="black", font=ImageFont.load_default(40))
    image.save(path)
    return path


@pytest.mark.slow
def test_a_scanned_page_is_read_by_ocr_and_says_how_surely(tmp_path: Path) -> None:
    scan = picture(tmp_path / "scan.png")

    def draw(canvas: object) -> None:
        canvas.drawString(72, 700, "A page with text.")
        canvas.showPage()
        canvas.drawImage(str(scan), 50, 500, 450, 150)
        canvas.showPage()
        canvas.showPage()

    file = pdfs.drawn(tmp_path / "mixed.pdf", draw)
    document = read_document(file)
    assert [page.origin for page in document.pages] == ["text", "ocr", "empty"]
    assert "notice period is thirty days" in document.text
    assert (document.pages[1].confidence or 0) > 0.8
    start = document.text.index("Wages")
    (box,) = find_boxes(file, document, start, start + 5)
    assert box.page == 2
    assert box.left == pytest.approx((50 + 30) / 595, abs=0.02)
    assert box.right < 0.4


def test_without_ocr_a_page_without_text_is_never_an_empty_success(tmp_path: Path) -> None:
    scan = picture(tmp_path / "scan.png")
    with pytest.raises(DataError, match="OCR"):
        read_document(scan, ocr=False)

    def draw(canvas: object) -> None:
        canvas.drawString(72, 700, "A page with text.")
        canvas.showPage()
        canvas.drawImage(str(scan), 50, 500, 450, 150)
        canvas.showPage()

    document = read_document(pdfs.drawn(tmp_path / "mixed.pdf", draw), ocr=False)
    assert [(notice.page, notice.key) for notice in document.notices] == [(2, "knowledge.notice_needs_ocr")]


@pytest.mark.slow
def test_a_picture_is_a_page(tmp_path: Path) -> None:
    document = read_document(picture(tmp_path / "photo.png"))
    assert document.kind == "image"
    assert document.text == "The notice period is thirty days.\nWages are paid monthly."
