"""Files that are sent from the pages that take some: they arrive, and what is refused is told in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.screenshot import Browser

from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench
from tests.support.reports import csv_report
from tests.web.test_chat import signed_in

pytestmark = pytest.mark.long


def test_files_arrive_from_the_pages_of_knowledge_assistant_and_findings(
    served: str, tab: Browser, workbench: Workbench, owner: Person, tmp_path: Path
) -> None:
    rules, empty, report = tmp_path / "守则 50%.txt", tmp_path / "empty.txt", tmp_path / "statement.csv"
    rules.write_text("The gate opens at seven.", encoding="utf-8")
    empty.write_bytes(b"")
    report.write_bytes(csv_report())
    workbench.knowledge.create(owner, "rules")
    signed_in(tab, served, workbench, owner)
    tab.open(served + "/knowledge/rules", width=1440)
    tab.choose_files("#file", empty, rules)
    tab.wait_for(f"document.getElementById('documents').innerText.includes('{rules.name}')", 60)
    assert "empty.txt" in tab.evaluate("document.querySelector('.knowledge-reason').parentElement.innerText")
    tab.open(served + "/assistant?specialist=medical", width=1440)
    tab.choose_files("#assistant-file", rules)
    tab.wait_for(f"document.getElementById('assistant-bases').innerText.includes('{rules.name}')", 60)
    tab.open(served + "/findings", width=1440)
    tab.choose_files("#findings-file", report)
    tab.click("#findings-bring [type=submit]")
    tab.wait_for("location.pathname.length > '/findings/'.length", 60)
    assert [job.title for job in workbench.findings.page(owner).jobs] == ["statement.csv"]
