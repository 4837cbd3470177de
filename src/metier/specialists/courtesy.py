"""Words of courtesy: they ask nothing, so nothing is searched, computed or quoted for them."""

from __future__ import annotations

import re

_WORDS = (
    r"非常感谢|多谢|谢谢|感谢|辛苦|好的|好吧|行|嗯+|知道|明白|懂|收到|再见|拜拜|不客气|您|你|了|啦|哦|噢|啊|呀|哈|好|太"
    r"|thank\s+you|thanks|thx|cheers|very\s+much|so\s+much|a\s+lot|many|great|good|fine|nice|perfect|ok(?:ay)?|got\s+it"
    r"|i\s+see|understood|all\s+right|alright|bye|goodbye|see\s+you|for\s+(?:your|the)\s+help"
)
_ONLY_THESE = re.compile(rf"(?:(?:{_WORDS})[\s,.!?~;:，。！？～；：…、]*)+", re.IGNORECASE)


def is_courtesy(text: str) -> bool:
    """Whether a message is thanks, assent or farewell and nothing else."""
    return len(text) < 100 and _ONLY_THESE.fullmatch(text.strip()) is not None
