"""Evidence from where it comes: passages that were found, results of tools, and what the user said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from metier.core.i18n import Language, translate
from metier.knowledge.passage import Hit
from metier.specialists.evidence import Evidence, ToolStep
from metier.specialists.sentences import is_claim, split_sentences
from metier.specialists.tools import ToolResult


def of_hits(hits: Iterable[Hit]) -> list[Evidence]:
    """Passages, as they stand."""
    return [Evidence(0, "passage", hit.passage.text, hit.passage.source, hit.base, hit.passage) for hit in hits]


def of_tool(step: ToolStep, result: ToolResult) -> list[Evidence]:
    """A tool's result, and the passages it looked up."""
    if result.hits and len(result.text) <= len(result.title):
        return of_hits(result.hits)
    details = {"tool": step.name, "arguments": step.arguments, "result": step.result}
    return [Evidence(0, "tool", result.text, result.title or step.name, details=details), *of_hits(result.hits)]


def of_user(said: Sequence[str], language: Language) -> list[Evidence]:
    """What the user stated, a message each; mere questions state nothing."""
    title = translate("specialists.you_said", language=language)
    return [
        Evidence(0, "user", text, title)
        for text in said
        if any(is_claim(sentence) for sentence in split_sentences(text))
    ]


def numbered(evidence: Iterable[Evidence], first: int = 1) -> list[Evidence]:
    """The same with numbers from `first` on; a passage that comes twice is one."""
    seen: set[tuple[str, str]] = set()
    kept: list[Evidence] = []
    for one in evidence:
        key = (one.base, one.passage.id) if one.passage else (one.kind, one.title + one.text)
        if key not in seen:
            seen.add(key)
            kept.append(replace(one, number=first + len(kept)))
    return kept
