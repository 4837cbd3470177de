"""What the terminal says of a document that was read."""

from __future__ import annotations

from metier.cli.knowledge import outcome_line


def test_pages_that_were_read_by_their_picture_are_counted() -> None:
    entry = {"pages": 4, "passages": 9, "notices": [], "origins": {"text": 1, "ocr": 3}}
    assert outcome_line({"name": "a.pdf", "state": "added", "document": entry}).endswith("3 of 4 pages by OCR (75%)")
    entry["origins"] = {"text": 4}
    assert "OCR" not in outcome_line({"name": "a.pdf", "state": "added", "document": entry})
