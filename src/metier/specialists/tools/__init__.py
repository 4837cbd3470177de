"""The tools by name. A tool is one typed function and one line here; a rule that calls it without a model is another.

@overtime.py
def overtime_pay(context: ToolContext, wage: Annotated[Decimal, Field(gt=0)], …) -> ToolResult: …
def overtime_pay_rule(context: ToolContext) -> list[dict[str, Any]]: …       the calls that the facts ask for
"""

from __future__ import annotations

from metier.core.registry import Registry
from metier.specialists.tools.tool import (
    Searchable,
    ToolContext,
    ToolFunction,
    ToolResult,
    ToolRule,
    arguments_model,
    describe,
    use_tool,
)

TOOLS: Registry[ToolFunction] = Registry(
    "tool",
    {
        "search_documents": "metier.specialists.tools.search:search_documents",
    },
)

# Tools that are also called by rule, in this order, before anything is written.
RULES: Registry[ToolRule] = Registry("tool rule", {})

__all__ = [
    "RULES",
    "TOOLS",
    "Searchable",
    "ToolContext",
    "ToolFunction",
    "ToolResult",
    "ToolRule",
    "arguments_model",
    "describe",
    "use_tool",
]
