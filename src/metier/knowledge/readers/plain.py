"""Text files: the encoding decided or refused, lines as they are, form feeds begin pages."""

from __future__ import annotations

import codecs

from metier.core.errors import DataError
from metier.data.textfile import read_text_file
from metier.knowledge.draft import Draft
from metier.knowledge.readers import Emit, Source


def read(source: Source, draft: Draft, emit: Emit) -> str:
    """Adds the text as it stands. Raises DataError where the encoding cannot be decided."""
    text, encoding = decoded(source)
    pages = text.split("\f")
    for number, page in enumerate(pages, 1):
        page = page.replace("\r\n", "\n").replace("\r", "\n")
        stripped = page.strip("\n") if len(pages) > 1 else page
        draft.page(number, origin="text" if page.strip() else "empty")
        if stripped:
            draft.add(stripped)
    emit({"event": "progress", "step": len(pages), "total": len(pages)})
    return encoding


def decoded(source: Source) -> tuple[str, str]:
    """The text of a file and its encoding. Raises DataError naming the file as shown."""
    try:
        text = read_text_file(source.path)
    except DataError as error:
        place = error.fields.get("place")
        named = {"place": str(place).replace(str(source.path), source.name)} if place else {"file": source.name}
        raise DataError(error.key, **{**error.fields, **named}) from error
    return text.text, text.encoding


def decoded_as(source: Source, encoding: str) -> str:
    """The text in an encoding that the file names itself. Raises LookupError or UnicodeDecodeError."""
    if source.content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise LookupError(encoding)  # its mark decides
    if not codecs.lookup(encoding)._is_text_encoding:
        raise LookupError(encoding)
    return source.content.decode(encoding)
