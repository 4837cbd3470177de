"""`metier compare` of a specialist from the command line, and what it was before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metier.cli import main
from metier.engines.chatmodel import ChatModel
from metier.evaluate.proof import sources
from metier.specialists.spec import Specialist
from tests.evaluate import scripted
from tests.support.knowledge import RULES_OF_WORK


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METIER_LANGUAGE", "en")

    def model(self: object, specialist: Specialist) -> ChatModel:
        return scripted.Scripted(lambda first, second, request: "按规定支付。")

    monkeypatch.setattr(sources.LocalSources, "model", model)
    monkeypatch.setattr(sources.LocalSources, "knowledge", lambda self, names: dict.fromkeys(names, RULES_OF_WORK))
    monkeypatch.setattr(sources.LocalSources, "contents", lambda self, names: {})
    (tmp_path / "one.yaml").write_text("name: one\nknowledge: [law]\n", encoding="utf-8")
    question = {"question": "休息日工作又不能补休，加班工资怎么算？", "gold": ["示例劳动规则 第四条"]}
    (tmp_path / "q.jsonl").write_text(json.dumps(question), encoding="utf-8")
    return tmp_path


def test_a_specialist_is_compared_in_its_variants_and_the_page_lies_in_the_run(
    ready: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", "--specialist", "one.yaml", "--questions", "q.jsonl", "--output_dir", "run"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "Citation recall" in shown
    assert "base model + knowledge" in shown
    assert (ready / "run/steps/prove/proof.html").is_file()
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["skipped"] is True


def test_a_specialist_can_be_compared_from_a_file(ready: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (ready / "proof.yaml").write_text("specialist: one.yaml\nquestions: q.jsonl\n", encoding="utf-8")
    assert main(["compare", "proof.yaml", "--variants", "base,base_knowledge", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["questions"] == 1


def test_two_files_are_compared_as_before(ready: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("base", "tuned"):
        rows = [{"prompt": f"q{n}", "predict": f"{name} {n}", "label": f"tuned {n}"} for n in range(8)]
        (ready / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert main(["compare", "--base", "base.jsonl", "--tuned", "tuned.jsonl", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metric"] == "rougel_answer"


def test_flags_of_the_one_are_refused_for_the_other(ready: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--specialist", "one.yaml", "--tuned", "x.jsonl"]) == 2
    assert "tuned" in capsys.readouterr().err


def test_messages_go_by_the_name_of_the_command(ready: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--specialist", "one.yaml", "--questions", "nope"]) != 0
    told = capsys.readouterr().err
    assert "--questions" in told and "shipped ones: legal" in told and "prove" not in told


def test_a_recipes_own_section_is_compared(ready: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (ready / "mine.yaml").write_text("prove: {specialist: one.yaml, questions: q.jsonl}\n", encoding="utf-8")
    assert main(["compare", "mine.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["questions"] == 1
