"""What several readers do alike: tool definitions in the system message, reasoning in the answer, meta columns."""

from __future__ import annotations

import json
from typing import Any

from metier.data.layout import Layout
from metier.data.rows import RawRow

TOOLS_HEADING = "# Tools"
TOOLS_RULE = 'To use a tool, answer with its call alone, as JSON: {"name": …, "arguments": {…}}'


def system_with_tools(row: RawRow, layout: Layout, system: str) -> str:
    """The system text, followed by the record's tool definitions exactly as published.

    So every chat template shows the model which tools there are, also one that knows no `tools`.
    """
    value = layout.value(row, "tools")
    if value is None or value == "" or value == []:
        return system
    definitions = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if definitions.strip() in ("", "[]"):
        return system
    return "\n\n".join(part for part in (system, TOOLS_HEADING, definitions, TOOLS_RULE) if part)


def with_reasoning(reasoning: str, answer: str) -> str:
    """`<think>…</think>` and the answer, as reasoning models are trained on it; without reasoning, the answer."""
    thought = reasoning.strip("\n")
    return f"<think>\n{thought}\n</think>\n\n{answer}" if thought.strip() and answer.strip() else answer


def extra_meta(row: RawRow, layout: Layout) -> dict[str, Any]:
    """Meta from a `meta` column, an `id`, the tools, and columns mapped as `meta.<name>`."""
    meta: dict[str, Any] = {}
    given = layout.value(row, "meta")
    if given is not None:
        if not isinstance(given, dict):
            raise row.error("meta_not_object", field=layout.columns["meta"], kind=type(given).__name__)
        meta.update(given)
    for role, column in layout.columns.items():
        if role in ("id", "tools") and row.values.get(column) not in (None, ""):
            meta[role] = row.values[column]
        elif role.startswith("meta."):
            meta[role.removeprefix("meta.")] = row.values.get(column)
    return meta
