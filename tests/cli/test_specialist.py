from __future__ import annotations

import json

import pytest

from metier.cli.app import main


def test_a_specialist_is_made_changed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["specialist", "create", "house", "--knowledge", "rules", "--rules.unsupported", "remove"]) == 0
    assert main(["specialist", "edit", "house", "--retrieval.limit", "4"]) == 0
    assert main(["specialist", "edit", "house", "--tools", "search_document"]) == 2
    assert "search_documents" in capsys.readouterr().err
    assert main(["specialist", "show", "house", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["version"], shown["retrieval"]["limit"], shown["rules"]["unsupported"]) == ("v2", 4, "remove")
    assert main(["specialist", "show", "house", "--versions"]) == 0
    assert capsys.readouterr().out.split()[0] == "v2"
