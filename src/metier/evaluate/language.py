"""Which language the answers should be in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal


def detect_language(texts: Iterable[str]) -> Literal["zh", "en"]:
    """`zh` where at least a fifth of the letters are Chinese characters, else `en`. Reads some 200,000 characters."""
    han = letters = read = 0
    for text in texts:
        for char in text:
            if char.isalpha():
                letters += 1
                han += "\u3400" <= char <= "\u9fff"
        read += len(text)
        if read > 200_000:
            break
    return "zh" if letters and han / letters >= 0.2 else "en"
