"""Copies among what was found: the same article out of three files is one hit, so that there is room for others.

A copy has the same words under the same title, dates and article, or headings where there is no article; marks,
spaces and `（2018修正）` make no other one. Two laws, or two versions of one, that say the same stay apart: they are
different sources.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from metier.knowledge.naming import law_name
from metier.knowledge.passage import Hit, Passage


def fold(hits: Iterable[Hit]) -> list[Hit]:
    """The first hit of each group of copies, in their order; it names the others, and those that they name."""
    groups: dict[tuple[object, ...], list[Hit]] = {}
    for hit in hits:
        groups.setdefault(_same(hit.passage), []).append(hit)
    return [
        replace(first, copies=(*first.copies, *(copy for one in rest for copy in (one.passage, *one.copies))))
        for first, *rest in groups.values()
    ]


def _same(passage: Passage) -> tuple[object, ...]:
    title = law_name(passage.title)
    place = passage.article or passage.path
    return (title, place, passage.effective, passage.until, _letters(passage.text) or passage.id)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text)))
