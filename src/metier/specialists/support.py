"""Whether a text bears out a sentence: by its words, its figures, the articles it names, and its noes.

Lexical, so it can be wrong both ways; `bench/citations.py` says how often, on real answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from metier.specialists.citations import nearest_clauses
from metier.specialists.sentences import bare
from metier.specialists.words import articles, figures, units

# From this support on, a sentence counts as borne out (fitted on one half in bench/citations.py).
SUPPORTED = 0.4
# A claim without a mark gets the mark of a passage that bears it out at least this well.
ATTACHED = 0.6

_OPPOSITE = 1 / 3
_NO = re.compile(
    r"不得|禁止|不能|不可以?|不应|不需|无需|无须|不必|无权|不予|不受|不是|没有|不支持|不属于"
    r"|\b(?:not|never|no|cannot|without)\b|n't\b",
    re.IGNORECASE,
)


def support(sentence: str, texts: Sequence[str]) -> float:
    """How well texts, taken together, bear out a sentence: 0 to 1.

    The share of the sentence's units that they have; a figure or an article that none of them has makes it 0, since a
    wrong number is wrong however alike the words are; a “not” that only the sentence or only the clauses nearest to it
    have leaves a third.
    """
    said = bare(sentence)
    wanted = set(units(said))
    if not wanted and not figures(said):
        return 0.0
    there = "\n".join(texts)
    if figures(said) - figures(there) or articles(said) - articles(there):
        return 0.0
    share = len(wanted & set(units(there))) / len(wanted) if wanted else 1.0
    start, end = nearest_clauses(said, there)
    return share * _OPPOSITE if bool(_NO.search(said)) != bool(_NO.search(there[start:end])) else share
