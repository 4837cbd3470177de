"""Text as it may stand in a document: composed (NFC), and without characters that nobody sees.

Controls, bidirectional marks, tag characters and zero-width characters can hide words from a reader that a model reads,
so they are taken out and counted. What is taken out for its looks only (soft hyphens, byte-order marks) is not counted;
letters that are drawn as one (ﬁ, ﬄ) are letters again.
"""

from __future__ import annotations

import re
import unicodedata

_BREAKS = re.compile("\r\n|[\r\v\f\u0085\u2028\u2029]")
_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f]")  # the ideographic space stays: it indents paragraphs
_LOOKS = "\u00ad\ufeff"
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls, but for tab and line ends
    "\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\uffa0\ufff0-\ufffb"
    "\ufe00-\ufe0f\U000e0000-\U000e0fff"  # variation selectors and tags
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\ud800-\udfff]"
)
_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
_LOOKS_ONLY = str.maketrans("", "", _LOOKS) | _LIGATURES


def clean(text: str) -> tuple[str, int]:
    """The text to keep, and how many invisible characters it is without."""
    if text.isascii() and text.isprintable():
        return text, 0
    text = _SPACES.sub(" ", _BREAKS.sub("\n", text)).translate(_LOOKS_ONLY)
    text, hidden = _INVISIBLE.subn("", text)
    return unicodedata.normalize("NFC", text), hidden
