"""A model's findings are held to the schema, and its wrong figures are flagged, never dropped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import ModelError
from metier.knowledge.document import Document
from metier.knowledge.reading import read_document
from metier.specialists.finance.reading import evidence_of, findings_of
from metier.specialists.finance.schema import Findings
from metier.specialists.finance.writing import Picture, Written, add_written_findings
from tests.specialists.finance.annual_report import annual_report
from tests.support.scripted import ScriptedModel


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Document:
    return read_document(annual_report(tmp_path_factory.mktemp("written") / "report.pdf"))


def figure(label: str, value: str, unit: str, period: str = "2023", working: str = "") -> dict[str, str]:
    return {"label": label, "value": value, "unit": unit, "currency": "CNY", "period": period, "working": working}


def said(*findings: dict[str, Any], answer: str = "") -> str:
    return json.dumps({"answer": answer, "findings": list(findings)}, ensure_ascii=False)


def trend(text: str, *figures: dict[str, str]) -> dict[str, Any]:
    return {"kind": "trend", "text": text, "exhibit": 1, "figures": list(figures)}


def written(document: Document, model: ScriptedModel, pictures: Sequence[Picture] = (), question: str = "") -> Findings:
    findings = findings_of(document, language="zh", question=question)
    asyncio.run(add_written_findings(findings, evidence_of(document), model, pictures=pictures))
    return findings


def test_right_figures_get_their_cells_and_wrong_ones_a_flag(document: Document) -> None:
    right = trend(
        "营业收入2023年增长11.84%。",
        figure("营业收入", "12,560.40", "百万元"),
        figure("营业收入", "11.84", "%", working="(12,560.40 - 11,230.80) / 11,230.80"),
    )
    wrong = trend(
        "应收账款2023年为3,240.75百万元。",
        figure("应收账款", "3,240.75", "百万元"),
        figure("总资产", "21,875.00", "亿元"),
        figure("营业收入", "12,560.40", "百万元", period="2022"),
        figure("营业收入", "12.84", "%", working="(12,560.40 - 11,230.80) / 11,230.80"),
    )
    model = ScriptedModel([said(right, wrong, answer="收入增长。")], context_length=32_000, can_follow_schema=True)
    findings = written(document, model, question="收入如何？")
    first, second = [one for one in findings.findings if one.by == "model"]
    assert first.flags == []
    assert [one.source for one in first.figures] == ["cell", "computed"]
    assert first.figures[0].places[0].cell == "B2" and first.figures[0].places[0].box
    assert len(second.figures) == 4  # none was dropped
    assert [(flag.figure, flag.problem) for flag in second.flags] == [
        (0, "value"),
        (1, "unit"),
        (2, "period"),
        (3, "value"),
    ]
    assert "3,420.75" in second.flags[0].found
    assert (findings.answer, findings.model) == ("收入增长。", "scripted")
    assert model.asked[0].schema == Written.model_json_schema()


def test_a_figure_that_stands_only_in_the_sentence_is_checked_too(document: Document) -> None:
    model = ScriptedModel([said(trend("营业成本2023年为8,146.26百万元。"))], context_length=32_000)
    [one] = [one for one in written(document, model).findings if one.by == "model"]
    assert [flag.problem for flag in one.flags] == ["value"]


def test_a_report_that_is_too_long_is_asked_about_in_parts(document: Document) -> None:
    model = ScriptedModel([said()], context_length=2600)
    findings = written(document, model)
    assert len(model.asked) > 1
    assert all(model.count(request.turns) <= 2600 for request in model.asked)
    assert findings.of("contradiction")


def test_what_is_no_json_is_told_and_the_rules_findings_stay(document: Document) -> None:
    findings = written(document, ScriptedModel(["I am sorry."], context_length=32_000))
    assert "没有按模式输出" in findings.notices[-1]
    assert findings.of("contradiction")


def test_a_model_that_sees_no_pictures_is_asked_without(document: Document) -> None:
    def refuse(request: Any) -> str:
        if any(turn.message.images for turn in request.turns):
            raise ModelError("engines.server_refused", address="x", problem="no images")
        return said(trend("图中收入为999.9百万元。"))

    model = ScriptedModel([refuse], context_length=32_000)
    findings = written(document, model, pictures=[Picture(2, b"png")])
    assert [len(request.turns[-1].message.images) for request in model.asked] == [1, 0]
    [one] = [one for one in findings.findings if one.by == "model"]
    assert [flag.problem for flag in one.flags] == ["unsupported"]
    assert [figure.source for figure in one.figures] == ["text"]  # not read from a picture that it never saw


def test_only_what_was_asked_with_pictures_can_be_read_from_them(document: Document) -> None:
    model = ScriptedModel([said(trend("图中收入为999.9百万元。"))], context_length=2600)
    findings = written(document, model, pictures=[Picture(2, b"png")])
    assert [len(request.turns[-1].message.images) for request in model.asked[:2]] == [1, 0]
    sources = [figure.source for one in findings.findings if one.by == "model" for figure in one.figures]
    assert sources.count("picture") == 1
    assert len(sources) == len(model.asked) > 1


def test_the_command_gives_json_for_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from metier.cli.app import main

    source = tmp_path / "a.csv"
    source.write_text("单位：万元,2022年,2023年\n营业收入,100,120\n", encoding="utf-8")
    assert main(["ask", "finance", str(source), "收入如何？", "--json", "--language", "zh"]) == 0
    [findings] = json.loads(capsys.readouterr().out)
    assert findings["question"] == "收入如何？"
    assert any("+20.00 %" in one["text"] for one in findings["findings"])
