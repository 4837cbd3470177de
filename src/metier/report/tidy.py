"""What comes from data is made harmless before it is shown or written.

Escaping for HTML is the template's; here: numbers that JSON has no word for, lone surrogates that UTF-8 cannot hold,
and characters that a browser would hide or that would turn the text around.
"""

from __future__ import annotations

import math
import re
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")
# C0 and C1 controls but tab and newline, marks and overrides of direction, invisible separators, the byte order mark.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]"
)


def tidy(value: Any) -> Any:
    """A JSON value that can be written strictly: NaN and infinities become null, lone surrogates are spelled out."""
    if isinstance(value, dict):
        return {_SURROGATE.sub(_spelled, str(key)): tidy(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [tidy(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return _SURROGATE.sub(_spelled, value)
    return value


def visible(text: str) -> str:
    """`text` with hidden and direction-turning characters spelled out as ⟨U+202E⟩; line ends become newlines."""
    return _HIDDEN.sub(_spelled, _SURROGATE.sub(_spelled, text.replace("\r\n", "\n").replace("\r", "\n")))


def shortened(text: str, limit: int) -> tuple[str, int]:
    """The first `limit` characters, and how many were left out."""
    return (text, 0) if len(text) <= limit else (text[:limit], len(text) - limit)


def _spelled(match: re.Match[str]) -> str:
    return f"⟨U+{ord(match.group()):04X}⟩"
