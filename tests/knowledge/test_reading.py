"""Files become documents: the same words whatever the encoding, pages mended into paragraphs, refusals by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.core.errors import DataError
from metier.knowledge.document import Document
from metier.knowledge.reading import read_document

LAW = "劳动合同法"


def hanzi(document: Document) -> str:
    return "".join(one for one in document.text if "\u4e00" <= one <= "\u9fff")


@pytest.mark.parametrize("form", ["gb18030.txt", "utf16.txt", "utf8-bom.txt", "cid-font.pdf", "embedded-font.pdf"])
def test_every_encoding_of_a_statute_gives_the_same_characters(shared_data: Path, form: str) -> None:
    law = shared_data / "law"
    document = read_document(law / "encodings" / f"{LAW}.{form}")
    plain = read_document(law / "statutes" / f"{LAW}.txt")
    assert len(hanzi(plain)) == 10_579
    assert hanzi(document) == hanzi(plain)
    paragraphs = set(document.text.split("\n"))
    assert sum(line in paragraphs for line in plain.text.split("\n") if line) >= 0.99 * len(paragraphs)


def test_text_of_no_certain_encoding_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "upload-17"
    file.write_bytes("第一条\n".encode() + "第二条".encode("gb18030"))
    with pytest.raises(DataError, match=r"notes\.txt") as refused:
        read_document(file, name="notes.txt")
    assert "upload-17" not in str(refused.value)


def test_form_feeds_part_pages_and_every_character_knows_its_page(tmp_path: Path) -> None:
    file = tmp_path / "three.txt"
    file.write_text("one\r\nstill one\ftwo\f\ffour", encoding="utf-8")
    document = read_document(file)
    assert document.text == "one\nstill one\ntwo\nfour"
    assert [page.origin for page in document.pages] == ["text", "text", "empty", "text"]
    assert [document.page_at(document.text.index(word)) for word in ("still", "two", "four")] == [1, 2, 4]


def test_a_name_that_does_not_say_what_the_bytes_are_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "law.pdf"
    page.write_text("<!DOCTYPE html><html>第一条</html>", encoding="utf-8")
    with pytest.raises(DataError, match="html"):
        read_document(page)
