"""Numbers as people tell them: `四十四`, `8千`, `1.2万`, and `两三` for about three."""

from __future__ import annotations

import re
from decimal import Decimal

from metier.core.numerals import number

# What a number may be made of, as a character class.
NUMBER = r"[0-9０-９][0-9０-９,，]*(?:[.．][0-9０-９]+)?\s*[万千百kK]?|[零〇一二三四五六七八九十百千万两]+"
_ABOUT = re.compile("[一二三四五六七八九两]{2}")


def to_number(text: str) -> Decimal | None:
    """The number that `text` tells, in either script; of `两三` the last; None where it tells none."""
    return number(text[-1] if _ABOUT.fullmatch(text) else text)
