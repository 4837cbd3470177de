"""Looking something up in the specialist's own documents."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from metier.core.errors import ConfigError
from metier.core.i18n import translate
from metier.specialists.tools.tool import ToolContext, ToolResult


def search_documents(
    context: ToolContext,
    text: Annotated[str, Field(min_length=1, max_length=1000, description="What to look for")],
    base: Annotated[str, Field(description="A knowledge base's name; empty searches all of them")] = "",
    limit: Annotated[int, Field(ge=1, le=10, description="Passages at most")] = 4,
) -> ToolResult:
    """Searches the documents of this specialist and returns the best passages, word for word."""
    if base and base not in context.knowledge:
        known = ", ".join(context.knowledge) or "—"
        raise ConfigError("specialists.no_such_base", name=base, known=known)
    bases = {base: context.knowledge[base]} if base else dict(context.knowledge)
    hits = [replace(hit, base=name) for name, one in bases.items() for hit in one.search(text, limit=limit)]
    hits.sort(key=lambda hit: -hit.score)
    found = tuple(hits[:limit])
    said = translate("specialists.search_found", language=context.language, count=len(found), text=text)
    sources = [{"source": hit.passage.source, "passage": hit.passage.id, "base": hit.base} for hit in found]
    return ToolResult(said, {"found": sources}, title=said, hits=found)
