"""Claims of labour law as `claims.yaml` lays them out: issues, elements, burdens, defences, articles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from metier.specialists.legal.articles import Article
from metier.specialists.legal.limitation import ClaimKind
from metier.specialists.legal.tables import Text, read_table

Burden = Literal["worker", "employer", "shared"]


@dataclass(frozen=True, slots=True)
class Element:
    """What must be shown. facts: names of figures or days; needs_facts: evidence alone leaves it half shown;
    evidence: kinds that can show it; absent: kinds whose absence shows it."""

    key: str
    name: Text
    burden: Burden
    facts: tuple[str, ...]
    evidence: tuple[str, ...]
    absent: tuple[str, ...]
    needs_facts: bool
    burden_note: Text


@dataclass(frozen=True, slots=True)
class Defence:
    """What the employer says, and what answers it."""

    key: str
    says: Text
    answer: Text


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim. limitation: which rule of the limitation period it follows."""

    key: str
    name: Text
    limitation: ClaimKind
    articles: tuple[Article, ...]
    issues: tuple[Text, ...]
    elements: tuple[Element, ...]
    defences: tuple[Defence, ...]


@cache
def claims() -> dict[str, Claim]:
    """All claims by key."""
    return {key: _claim(key, one) for key, one in read_table("claims").items()}


def _claim(key: str, one: dict[str, Any]) -> Claim:
    return Claim(
        key,
        one["name"],
        one["limitation"],
        tuple(Article(law, article) for law, article in one["articles"]),
        tuple(one["issues"]),
        tuple(_element(name, values) for name, values in one["elements"].items()),
        tuple(Defence(name, values["says"], values["answer"]) for name, values in one["defences"].items()),
    )


def _element(key: str, values: dict[str, Any]) -> Element:
    lists = {name: tuple(values.get(name) or ()) for name in ("facts", "evidence", "absent")}
    nothing: Text = {"en": "", "zh": ""}
    return Element(
        key, values["name"], values["burden"], lists["facts"], lists["evidence"], lists["absent"],
        bool(values.get("needs_facts")), values.get("burden_note") or nothing,
    )  # fmt: skip
