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
        "overtime_pay": "metier.specialists.legal.tools:overtime",
        "limitation_period": "metier.specialists.legal.tools:limitation_period",
        "precedents": "metier.specialists.legal.tools:precedents",
        "case_analysis": "metier.specialists.legal.tools:case_analysis",
        "statute": "metier.specialists.legal.tools:statute",
        "date_arithmetic": "metier.specialists.legal.tools:date_arithmetic",
        "arbitration_request": "metier.specialists.legal.tools:arbitration_request",
        "calculate": "metier.specialists.finance.tools:calculate",
        "growth_rate": "metier.specialists.finance.tools:growth_rate",
        "convert_amount": "metier.specialists.finance.tools:convert_amount",
    },
)

# Tools that are also called by rule, in this order, before anything is written.
RULES: Registry[ToolRule] = Registry(
    "tool rule",
    {
        "overtime_pay": "metier.specialists.legal.tools:overtime_rule",
        "limitation_period": "metier.specialists.legal.tools:limitation_rule",
        "precedents": "metier.specialists.legal.tools:precedents_rule",
        "case_analysis": "metier.specialists.legal.tools:case_analysis_rule",
        "statute": "metier.specialists.legal.tools:statute_rule",
        "date_arithmetic": "metier.specialists.legal.tools:date_rule",
        "arbitration_request": "metier.specialists.legal.tools:arbitration_request_rule",
        "growth_rate": "metier.specialists.finance.tools:growth_rule",
        "convert_amount": "metier.specialists.finance.tools:convert_rule",
        "calculate": "metier.specialists.finance.tools:calculate_rule",
    },
)

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
