"""Bytes to text: one encoding per file, decided or refused by name, never repaired in silence.

Order: a byte-order mark (UTF-8, UTF-16, UTF-32) decides; else strict UTF-8; else strict GB18030, but only where the
result reads like Chinese (common characters of GB 2312 level 1) and no line of the file is UTF-8 (mixed files are
refused).
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from metier.core.errors import DataError

MAX_FILE_BYTES = 4 << 30
MAX_LINE_BYTES = 64 << 20
_CHUNK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with that of UTF-16 LE
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COMMON_SHARE = 0.8  # of Chinese characters in GB 2312 level 1; real prose has > .95, UTF-8 misread as GB18030 < .5


@dataclass(frozen=True, slots=True)
class Text:
    """A decoded file without its byte-order mark."""

    text: str
    encoding: str


def read_text_file(path: Path) -> Text:
    """The whole text of `path` (`.gz` is unpacked).

    Raises DataError if it cannot be read, is too large, has one endless line, is binary, or has no single encoding.
    """
    content = _read(path)
    if not content.strip(b" \t\r\n\xef\xbb\xbf"):
        raise DataError("data.empty_file", file=path)
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if encoding is None:
        _refuse_binary(path, content[: 64 << 10])
    try:
        return Text(content.decode(encoding or "utf-8"), encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding:
            raise DataError(
                "data.undecodable_marked",
                file=path,
                encoding=encoding.upper(),
                byte=error.start,
                line=_line(content, error),
            ) from error
        return _decode_gb18030(path, content, error)


def _read(path: Path) -> bytes:
    content = bytearray()
    line_start = 0
    try:
        with _open(path) as source:
            while block := source.read(_CHUNK):
                newline = block.rfind(b"\n")
                content += block
                if newline >= 0:
                    line_start = len(content) - len(block) + newline + 1
                if len(content) > MAX_FILE_BYTES:
                    raise DataError("data.file_too_large", file=path, limit=MAX_FILE_BYTES >> 30)
                # A JSON list may well stand on one line; records of other kinds may not be that long.
                if len(content) - line_start > MAX_LINE_BYTES and not _is_json_list(content):
                    line = content.count(b"\n", 0, line_start) + 1
                    raise DataError("data.line_too_long", place=f"{path}:{line}", limit=MAX_LINE_BYTES >> 20)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError("data.bad_archive", file=path, problem=error) from error
    except OSError as error:
        raise DataError("data.unreadable", file=path, problem=error.strerror or error) from error
    return bytes(content)


def _open(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _is_json_list(content: bytearray) -> bool:
    return bytes(content[:64]).lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00").startswith(b"[")


def _refuse_binary(path: Path, head: bytes) -> None:
    nuls = head.count(0)
    if nuls > len(head) // 5 and (head[0::2].count(0) < nuls // 20 or head[1::2].count(0) < nuls // 20):
        raise DataError("data.utf16_without_mark", file=path)
    if nuls > len(head) // 10:
        raise DataError("data.not_text", file=path)


def _decode_gb18030(path: Path, content: bytes, error: UnicodeDecodeError) -> Text:
    line = _line(content, error)
    utf8_line = _first_utf8_line(content)
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        text = None
    if utf8_line is not None:
        raise DataError("data.mixed_encodings", file=path, utf8_line=utf8_line, line=line, byte=error.start) from error
    if text is None or not _reads_like_chinese(text):
        raise DataError("data.undecodable", place=f"{path}:{line}", byte=error.start) from error
    return Text(text, "gb18030")


def _line(content: bytes, error: UnicodeDecodeError) -> int:
    return content.count(b"\n", 0, error.start) + 1


def _first_utf8_line(content: bytes) -> int | None:
    """The first line that is beyond doubt UTF-8: GB18030 bytes practically never form three-byte UTF-8 sequences."""
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.isascii():
            continue
        try:
            decoded = line.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if sum(character >= "\u0800" for character in decoded) >= 2:
            return number
    return None


def _reads_like_chinese(text: str) -> bool:
    hanzi = [character for character in text if "\u4e00" <= character <= "\u9fff"][:200_000]
    others = sum(
        not c.isascii() and not ("\u3000" <= c <= "\u9fff" or "\uff00" <= c <= "\uffef") for c in text[:400_000]
    )
    encoded = "".join(hanzi).encode("gb2312", "ignore")
    common = sum(0xB0 <= lead <= 0xD7 for lead in encoded[0::2])
    return bool(hanzi) and common >= _COMMON_SHARE * len(hanzi) and others <= 0.3 * len(hanzi)
