from __future__ import annotations

import json
from pathlib import Path

import pytest

from metier.cli.app import main
from tests.support.knowledge import RULES_OF_WORK


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


def test_a_server_is_named_by_its_address_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["specialist", "create", "house", "--server", "http://127.0.0.1:8000/v1"]) == 0
    capsys.readouterr()
    assert main(["specialist", "show", "house", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["server"]["address"] == "http://127.0.0.1:8000/v1"


def test_ask_quotes_the_documents_and_knows_what_was_said_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "规则.txt"
    file.write_text("示例劳动规则\n\n" + "\n\n".join(f"{p.article} {p.text}" for p in RULES_OF_WORK.passages))
    main(["knowledge", "add", "rules", str(file)])
    main(["specialist", "create", "house", "--knowledge", "rules", "--rules.quote", "always"])
    capsys.readouterr()
    assert main(["ask", "house", "公司拖欠加班工资，我想申请劳动争议仲裁。", "那最晚到什么时候？", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["mode"], second["mode"]) == ("quoted", "quoted")
    assert "一年" in second["text"]
    assert main(["knowledge", "ask", "rules", "试用期最长多久？"]) == 0
    assert "规则.txt" in capsys.readouterr().out


@pytest.mark.slow
def test_a_model_too_weak_to_cite_leaves_the_quotations(
    tmp_path: Path, talking_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rules.txt"
    file.write_text("House rules\n\nDogs are welcome in the garden, but not in the dining room of the house.")
    main(["knowledge", "add", "rules", str(file)])
    flags = ["--model_name_or_path", str(talking_model), "--sampling.max_new_tokens", "40"]
    assert main(["specialist", "create", "house", "--knowledge", "rules", *flags]) == 0
    capsys.readouterr()
    assert main(["ask", "house", "Are dogs welcome in the dining room?", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)[0]
    assert (answer["mode"], answer["completion_tokens"] > 0) == ("quoted", True)
    assert "not in the dining room" in answer["text"]
