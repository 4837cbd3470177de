"""A citation opens at the very words: pages as pictures, and boxes around the words of a span."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from metier.core.errors import DataError
from metier.knowledge.document import Box
from metier.knowledge.pagepictures import find_boxes, page_picture
from metier.knowledge.reading import read_document
from tests.knowledge import pdfs


def darkness(picture: Image.Image, box: Box) -> float:
    """How much ink a box holds, 0 to 1."""
    wide, high = picture.size
    part = picture.convert("L").crop(
        (int(box.left * wide), int(box.top * high), int(box.right * wide) + 1, int(box.bottom * high) + 1)
    )
    return 1 - sum(part.get_flattened_data()) / (255 * part.width * part.height)


def test_boxes_hold_the_ink_of_the_words_and_nothing_beside_them(tmp_path: Path) -> None:
    file = pdfs.lines(tmp_path / "two.pdf", ["alpha beta"], ["gamma delta", "beta gamma"])
    document = read_document(file)
    start = document.text.rindex("beta")
    (box,) = find_boxes(file, document, start, start + 4)
    assert box.page == 2
    assert box.left == pytest.approx(72 / 595, abs=0.005)
    assert 1 - box.bottom < (755 / 842) < 1 - box.top
    picture = Image.open(BytesIO(page_picture(file, 2, width=800)))
    assert picture.size[0] == 800
    assert darkness(picture, box) > 0.1
    right_of_it = Box(2, box.right + 0.1, box.top, box.right + 0.2, box.bottom)
    assert darkness(picture, right_of_it) == 0


def test_a_span_over_a_page_break_has_boxes_on_both_pages(shared_data: Path) -> None:
    file = next((shared_data / "law" / "encodings").glob("*.cid-font.pdf"))
    document = read_document(file)
    edge = document.pages[1].end
    boxes = find_boxes(file, document, edge - 12, edge + 12)
    assert {box.page for box in boxes} == {2, 3}
    assert all(0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1 for box in boxes)


def test_a_turned_page_has_its_boxes_where_it_shows_the_words(tmp_path: Path) -> None:
    def draw(canvas: object) -> None:
        canvas.setPageRotation(90)
        canvas.drawString(72, 770, "upper left before the turn")
        canvas.showPage()

    file = pdfs.drawn(tmp_path / "turned.pdf", draw)
    document = read_document(file)
    (box,) = find_boxes(file, document, 0, 10)
    assert box.left > 0.8 and box.top < 0.2
    assert darkness(Image.open(BytesIO(page_picture(file, 1))), box) > 0.05


def test_a_page_that_is_not_there_and_a_file_without_pages_say_so(tmp_path: Path) -> None:
    file = pdfs.lines(tmp_path / "one.pdf", ["alpha"])
    with pytest.raises(DataError, match="no page 2"):
        page_picture(file, 2)
    (tmp_path / "note.txt").write_text("alpha")
    with pytest.raises(DataError, match="no pages to look at"):
        page_picture(tmp_path / "note.txt", 1)
