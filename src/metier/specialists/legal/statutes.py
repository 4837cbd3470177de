"""An article of a law, word for word, from the specialist's own documents: never from memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from metier.core.errors import ConfigError
from metier.knowledge.naming import article_name, law_names, same_law
from metier.knowledge.passage import Hit

if TYPE_CHECKING:
    from metier.specialists.tools import Searchable


@dataclass(frozen=True, slots=True)
class StatuteFound:
    """What was found. hits: passages of that article, the version in force first; other_articles: articles of the law
    that are there, where this one is not."""

    law: str
    article: str
    on: date
    hits: tuple[Hit, ...]
    other_articles: tuple[str, ...] = ()


def look_up(knowledge: Mapping[str, Searchable], law: str, article: str, on: date) -> StatuteFound:
    """The article as it was in force on a day. law, article: as people write them.

    Raises ConfigError where `article` names none.
    """
    wanted = article_name(article)
    if not wanted:
        raise ConfigError("specialists.legal_no_article", given=article)
    names = law_names(law)
    hits: dict[str, Hit] = {}
    others: set[str] = set()
    for base, one in knowledge.items():
        for hit in one.search(f"{names[0]} {wanted}", limit=20, titles=names, article=wanted, in_force_on=on):
            _keep(hit, base, law, wanted, hits, others)
        if not hits:
            # Titles that carry more than the law's name (`劳动法（2018修正）`) are found by words alone.
            for hit in one.search(f"{names[0]} {wanted}", limit=50, in_force_on=on):
                _keep(hit, base, law, wanted, hits, others)
    found = sorted(hits.values(), key=lambda hit: (-(hit.passage.effective or date.min).toordinal(), hit.passage.start))
    return StatuteFound(names[0], wanted, on, tuple(found), tuple(sorted(others)) if not found else ())


def _keep(hit: Hit, base: str, law: str, wanted: str, hits: dict[str, Hit], others: set[str]) -> None:
    passage = hit.passage
    if not same_law(passage.title, law) or not passage.article:
        return
    if article_name(passage.article) == wanted:
        hits.setdefault(passage.id, replace(hit, base=hit.base or base))
    else:
        others.add(passage.article)
