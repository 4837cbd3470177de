"""The shipped legal specialist and its sample documents."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from metier.specialists.legal.analysis import overtime_of
from metier.specialists.legal.facts import read_facts
from metier.specialists.legal.precedents import outcome_of
from metier.specialists.samples import sample_documents
from metier.specialists.store import shipped_specialist
from metier.specialists.tools import TOOLS

DOCUMENTS = {name: content.decode() for name, content in sample_documents("labour-law-samples")}
CASES = {name: text for name, text in DOCUMENTS.items() if "## 处理结果" in text}


def _part(text: str, heading: str) -> str:
    found = re.search(rf"## {heading}\n\n(.+?)(?:\n\n##|$)", text, re.DOTALL)
    return found[1] if found else ""


def test_the_legal_specialist_is_shipped_with_tools_that_exist() -> None:
    stored = shipped_specialist("legal")
    assert stored and stored.specialist.knowledge == ("labour-law", "labour-law-samples")
    assert set(stored.specialist.tools) <= set(TOOLS)


def test_every_document_says_that_it_is_a_sample() -> None:
    assert len(CASES) >= 12 and len(DOCUMENTS) >= 20
    for name, text in DOCUMENTS.items():
        assert "示例" in text.splitlines()[0] or text.startswith("# Sample"), name
        assert "> 示例" in text or "> Sample" in text, name


@pytest.mark.parametrize("name", CASES)
def test_the_sums_of_the_cases_are_what_their_facts_give(name: str) -> None:
    result = _part(CASES[name], "处理结果")
    named = re.search(r"加班费(?:差额)?(\d+\.\d\d)元", result)
    if named:
        pay = overtime_of(read_facts([_part(CASES[name], "基本事实")], date(2026, 11, 28)))
        assert pay and pay.difference == Decimal(named[1])
    assert outcome_of(result) != "unknown"


def test_cases_end_in_all_three_ways() -> None:
    assert {outcome_of(_part(text, "处理结果")) for text in CASES.values()} == {"supported", "partly", "rejected"}
