"""Saying that the documents do not answer a question, and what would be needed so that they could."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from metier.core.i18n import Language, translate
from metier.knowledge.passage import Hit
from metier.specialists.premises import Missing
from metier.specialists.tools import Searchable
from metier.specialists.words import matter, units

_TERMS = 6


def abstention(
    question: str,
    *,
    missing: Sequence[Missing],
    hits: Sequence[Hit],
    knowledge: Mapping[str, Searchable],
    language: Language,
) -> str:
    """The words of an answer that has nothing to rest on, as Markdown."""

    def said(key: str, **fields: object) -> str:
        return translate(f"specialists.{key}", language=language, **fields)

    lines = [one.text(language) for one in missing] or [said("nothing_found")]
    if not knowledge:
        return said("no_documents")
    lines.append("\n" + said("would_need"))
    lines += [f"- {need}" for need in _needs(question, missing, hits, language)]
    if hits and not missing:
        nearest = said("and").join(dict.fromkeys(hit.passage.source for hit in hits[:3]))
        lines.append("\n" + said("nearest", sources=nearest))
    return "\n".join(lines)


def _needs(question: str, missing: Sequence[Missing], hits: Sequence[Hit], language: Language) -> list[str]:
    """What would have to be in the documents."""
    if missing:
        wrong = [one for one in missing if one.has_law]
        needs = [
            translate("specialists.need_law", language=language, law=m.named.law) for m in missing if not m.has_law
        ]
        return needs + [translate("specialists.need_article", language=language, law=m.named.law) for m in wrong]
    terms = missing_terms(question, hits)
    listed = translate("specialists.comma", language=language).join(terms) or question.strip()[:80]
    return [translate("specialists.need_terms", language=language, terms=listed)]


def missing_terms(question: str, hits: Sequence[Hit]) -> list[str]:
    """The stretches of a question of which none of the nearest passages has a single unit, in their order."""
    known = {unit for hit in hits for unit in units(hit.passage.text)}
    stretches = matter(question)
    missing = [stretch for stretch in stretches if not set(units(stretch)) & known]
    return list(dict.fromkeys(missing or stretches))[:_TERMS]
