"""How results are told: lines of text in the user's language, and the same as JSON-able values for pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from metier.core.i18n import Language, translate
from metier.knowledge.passage import Hit
from metier.specialists.legal.articles import Article
from metier.specialists.legal.facts import Fact, Facts, read_facts
from metier.specialists.legal.statutes import look_up

if TYPE_CHECKING:
    from metier.specialists.tools import Searchable, ToolContext


_REFERENCES = re.compile(r"《[^》]*》|第[〇零一二三四五六七八九十百千0-9]+条|[、，。\s]")
_EXPLAINS = 30  # characters besides the names of laws and articles


@dataclass(frozen=True, slots=True)
class Teller:
    """Says catalogued texts in one language."""

    language: Language

    def say(self, key: str, /, **values: Any) -> str:
        """The text `specialists.legal_<key>`."""
        return translate(f"specialists.legal_{key}", language=self.language, **values)

    def join(self, words: Iterable[str]) -> str:
        """A list in words."""
        return ("、" if self.language == "zh" else ", ").join(words)


def facts_of(context: ToolContext) -> Facts:
    """What the user said in the whole conversation."""
    return read_facts(context.said, context.today)


def stated(facts: Facts, names: Mapping[str, Any]) -> dict[str, Any]:
    """For each figure that the user named: the words and the message it comes from; the others were given by whoever
    called the tool."""
    found: dict[str, Any] = {}
    for name, value in names.items():
        fact = next((one for one in reversed(facts.found) if one.name == name and one.value == value), None)
        if fact:
            found[name] = {"words": fact.words, "message": fact.message + 1, "note": fact.note}
    return found


def passages_of(articles: Sequence[Article], knowledge: Mapping[str, Searchable], on: date) -> tuple[Hit, ...]:
    """The passages of these articles, in the same order, or one that speaks of an article which is not there itself."""
    hits: dict[str, Hit] = {}
    for article in articles:
        found = look_up(knowledge, article.law, article.article, on).hits or _explained(article, knowledge)
        for hit in found[:1]:
            hits.setdefault(hit.passage.id, hit)
    return tuple(hits.values())


def _explained(article: Article, knowledge: Mapping[str, Searchable]) -> tuple[Hit, ...]:
    """Passages that explain an article which is not among the documents itself, those that are no case first."""
    found = [
        replace(hit, base=hit.base or base)
        for base, one in knowledge.items()
        for hit in one.search(f"{article.law} {article.article}", limit=10)
        if article.law in hit.passage.text and article.article in hit.passage.text
    ]
    # A mere list of articles explains none.
    telling = [hit for hit in found if len(_REFERENCES.sub("", hit.passage.text)) > _EXPLAINS]
    return tuple(sorted(telling, key=lambda hit: (hit.passage.kind == "case", -hit.score)))


def jsonable(value: Any, language: Language) -> Any:
    """Dataclasses as mappings, figures as exact text, days as ISO text, two-language texts in `language`."""
    if isinstance(value, Hit):
        return {"source": value.passage.source, "passage": value.passage.id, "base": value.base}
    if isinstance(value, Article):
        return {"law": value.law, "article": value.article, "clause": value.clause, "text": str(value)}
    if isinstance(value, Fact):
        return {"name": value.name, "value": jsonable(value.value, language), "words": value.words,
                "message": value.message + 1, "note": value.note}  # fmt: skip
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: jsonable(getattr(value, one.name), language) for one in fields(value)}
    if isinstance(value, Mapping):
        if set(value) == {"en", "zh"}:
            return value[language]
        return {str(key): jsonable(one, language) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(one, language) for one in value]
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else value
