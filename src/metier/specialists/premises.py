"""What a question takes for granted and the documents do not bear out: a law or an article that is not there, a figure
that “the law says” and no passage has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metier.core.i18n import Language, translate
from metier.knowledge.naming import article_forms, law_names, short_name
from metier.knowledge.passage import Hit
from metier.specialists.tools import Searchable
from metier.specialists.words import measures

_QUOTED_LAW = re.compile(
    r"《([^《》]{2,40})》(?:\s*(第\s*[零〇一二三四五六七八九十百千两\d]{1,9}\s*条(?:之[一二三四五六七八九十\d]{1,3})?))?"
)
_PLAIN_LAW = re.compile(
    r"([一-鿿]{2,24}?(?:法典|法|条例|规定|办法|解释|规则|准则|章程))(第\s*[零〇一二三四五六七八九十百千两\d]{1,9}\s*条(?:之[一二三四五六七八九十\d]{1,3})?)"
)
_CLAIMED = re.compile(
    r"规定|法律|法定|依法|按照|根据|条例|政策|\b(?:law|statute|legal|rule|regulation|act|article)\b",
    re.IGNORECASE,
)
# A clause of up to so many characters that names the law says nothing itself: 根据劳动法，… / by law, …
_BINDS = 12
_CLAUSE = re.compile(r"[，。！？；,!?;\n]")


@dataclass(frozen=True, slots=True)
class Named:
    """A law that a question names, and the article of it if one is named too."""

    law: str
    article: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something a question names that the documents do not have. has_law: the law is there, the article is not."""

    named: Named
    has_law: bool

    def text(self, language: Language) -> str:
        """What is missing, as a sentence."""
        key = "specialists.no_article" if self.has_law else "specialists.no_law"
        return translate(key, language=language, law=self.named.law, article=self.named.article)


def named_laws(question: str) -> list[Named]:
    """The laws and articles that a question names."""
    found = [Named(match[1], "".join((match[2] or "").split())) for match in _QUOTED_LAW.finditer(question)]
    rest = _QUOTED_LAW.sub(" ", question)
    return found + [Named(match[1], "".join(match[2].split())) for match in _PLAIN_LAW.finditer(rest)]


def missing_sources(question: str, knowledge: Mapping[str, Searchable]) -> list[Missing]:
    """What a question names and no knowledge base has."""
    missing = []
    for named in named_laws(question):
        title = _known_title(named.law, knowledge)
        if title is None:
            missing.append(Missing(named, has_law=False))
        elif named.article and not _has_article(title, named.article, knowledge):
            missing.append(Missing(Named(title, named.article), has_law=True))
    return missing


def unfounded_figures(question: str, hits: Sequence[Hit]) -> list[str]:
    """Figures that the question says the law has and that no passage names, as written: `5倍`."""
    known = {measure for hit in hits for measure in measures(hit.passage.text)}
    claimed = [measures(clause) for clause in _claims_of_law(question)]
    return list(dict.fromkeys(written for one in claimed for key, written in one.items() if key not in known))


def _claims_of_law(question: str) -> list[str]:
    """The clauses that say what the law has. “By law, …” speaks of the clause behind it."""
    claims, bound = [], False
    for clause in _CLAUSE.split(question):
        cued = bool(_CLAIMED.search(clause))
        if cued or bound:
            claims.append(clause)
        bound = cued and len(clause.strip()) <= _BINDS
    return claims


def _known_title(law: str, knowledge: Mapping[str, Searchable]) -> str | None:
    """The title under which a law is known. A name with words before it (“根据劳动法”) is tried from its end."""
    bare = short_name(law)
    candidates = [law, *law_names(law)]
    candidates += [bare[start:] for start in range(1, len(bare) - 2)]
    for title in dict.fromkeys(candidates):
        if any(base.search(title, limit=1, titles=(title,)) for base in knowledge.values()):
            return title
    return None


def _has_article(title: str, article: str, knowledge: Mapping[str, Searchable]) -> bool:
    return any(
        base.search(title, limit=1, titles=(title,), article=form)
        for base in knowledge.values()
        for form in article_forms(article)
    )
