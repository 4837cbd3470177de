"""An article of a law, as the legal tools name their grounds; what names mean stands in `metier.knowledge.naming`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Article:
    """An article of a law. article: as statutes print it (`第四十四条`); clause: paragraph or item, in words."""

    law: str
    article: str
    clause: str = ""

    def __str__(self) -> str:
        return f"《{self.law}》{self.article}{self.clause}"
