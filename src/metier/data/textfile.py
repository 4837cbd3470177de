"""Bytes to text: one encoding per file, decided or refused by name, never repaired in silence.

Order: a byte-order mark (UTF-8, UTF-16, UTF-32) decides; else strict UTF-8; else strict GB18030, but only where the
result reads like Chinese (by its frequent characters) and no line of the file is UTF-8 (mixed files are
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
# The most frequent characters of written Chinese. Of real prose they are a half (medical .51, exams .50, statutes
# .70); of Korean, Japanese, Big5 or UTF-8 bytes that also decode as GB18030 they are under .07.
_FREQUENT = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里"
    "用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实"
    "日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政"
    "美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员"
    "解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件"
    "计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象"
    "完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运"
)
_FREQUENT_SHARE = 0.2


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
    sample = text[:400_000]
    hanzi = [character for character in sample if "\u4e00" <= character <= "\u9fff"]
    kana = sum("\u3041" <= character <= "\u30ff" for character in sample)
    frequent = sum(character in _FREQUENT for character in hanzi)
    return bool(hanzi) and frequent >= _FREQUENT_SHARE * len(hanzi) and kana <= 0.05 * len(hanzi)
