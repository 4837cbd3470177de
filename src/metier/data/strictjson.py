"""JSON as the standard has it, and stricter than Python's: nothing is repaired, merged or lost in silence.

Refused, each by name: duplicate keys, NaN and infinities (also as 1e999), NUL characters, lone surrogates, depth
bombs.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

MAX_DEPTH = 100
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])|\x00")
_MAX_DIGITS = 4000  # Python refuses longer integers (quadratic time)


class JsonError(ValueError):
    """Why a document was refused. name: key in the package's `locale.yaml`; position: index in the text, if known."""

    def __init__(self, name: str, position: int | None = None, **fields: Any) -> None:
        super().__init__(name)
        self.name = name
        self.position = position
        self.fields = fields


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        raise JsonError("duplicate_key", field=next(key for key in keys if keys.count(key) > 1))
    return result


def _constant(name: str) -> NoReturn:
    raise JsonError("not_a_number", value=name)


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise JsonError("not_a_number", value=digits[:40])
    return value


def _int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise JsonError("not_a_number", value=digits[:40] + "…")
    return int(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float, parse_int=_int)


def parse_at(text: str, start: int) -> tuple[Any, int]:
    """The value that begins at `start` (no white space before it) and the index behind it. Raises JsonError."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        if text.startswith("\x00", error.pos):
            raise JsonError("nul_character", error.pos, field="–") from error
        raise JsonError("malformed_json", error.pos, problem=error.msg) from error
    except RecursionError as error:
        raise JsonError("too_deep", start, limit=MAX_DEPTH) from error
    check_depth(value)
    if _SUSPECT.search(text, start, end):
        check_characters(value)
    return value, end


def parse(text: str) -> Any:
    """The one value in `text`, with nothing but white space around it. Raises JsonError."""
    start = len(text) - len(text.lstrip(" \t\r\n"))
    value, end = parse_at(text, start)
    if text[end:].strip(" \t\r\n"):
        raise JsonError("malformed_json", end, problem="Extra data")
    return value


def check_depth(value: Any, depth: int = 1) -> None:
    """Raises JsonError where `value` is nested deeper than MAX_DEPTH."""
    if depth > MAX_DEPTH:
        raise JsonError("too_deep", limit=MAX_DEPTH)
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return
    for item in value:
        if isinstance(item, dict | list):
            check_depth(item, depth + 1)


def check_characters(value: Any, field: str = "") -> None:
    """Raises JsonError for a NUL character or a lone surrogate in any string or key below `value`."""
    if isinstance(value, str):
        if "\x00" in value:
            raise JsonError("nul_character", field=field)
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            code = f"\\u{ord(value[error.start]):04x}"
            raise JsonError("lone_surrogate", field=field, code=code) from error
    elif isinstance(value, dict):
        for key, item in value.items():
            check_characters(key, field or "?")
            check_characters(item, f"{field}.{key}" if field else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_characters(item, f"{field}[{index}]")
