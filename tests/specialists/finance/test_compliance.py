"""Rules in plain words are answered with evidence from the pages, or not found."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from metier.core.errors import DataError, ModelError
from metier.specialists.finance.compliance import check_rules, judge_rules, read_rules
from metier.specialists.finance.evidence import Evidence, Text
from metier.specialists.finance.gridreading import read_grid
from metier.specialists.finance.schema import Findings
from metier.specialists.finance.telling import Teller
from tests.support.scripted import ScriptedModel

PAGES = Evidence(
    [
        read_grid(
            [["项目", "2022年", "2023年"], ["资产负债率", "61.2%", "72.5%"], ["研发投入", "300", "420"]],
            unit="单位：万元",
        )
    ],
    [
        Text("公司与控股股东之间的关联交易均按市场价格定价，并经独立董事事前认可。", 3, 100),
        Text("公司聘请的会计师事务所出具了标准无保留意见的审计报告。本年无重大诉讼。", 5, 200),
    ],
)
TELL = Teller("zh")


def test_each_rule_has_evidence_with_its_page_or_is_not_found() -> None:
    found, missing, broken, kept = check_rules(
        [
            "报告应披露关联交易的定价方式",
            "应说明碳排放核算方法",
            "资产负债率不超过70%",
            "研发投入不低于400万元",
        ],
        PAGES,
        TELL,
    )
    assert (found.status, found.evidence[0].place.page) == ("found", 3)
    assert "关联交易" in found.evidence[0].text
    assert (missing.status, missing.evidence) == ("not_found", [])
    assert (broken.status, kept.status) == ("broken", "met")
    assert broken.evidence[0].place.cell == "C2"


def test_a_limit_is_held_to_the_line_itself_in_the_year_that_the_rule_names() -> None:
    sheet = read_grid(
        [
            ["USD million", "2022", "2023", "2024"],
            ["Revenue", "412.0", "455.3", "498.1"],
            ["Net debt", "90.0", "120.5", "211.8"],
            ["Interest cover (times)", "4.1x", "3.2x", "2.4x"],
        ]
    )
    rules = {
        "Net debt must not exceed USD 200 million.": "broken",
        "Net debt must not exceed USD 200 million in 2023.": "met",
        "Interest cover (times) is at least 3 times.": "broken",
        "Net debt divided by revenue is below 0.5.": "found",  # 0.43: kept, and no line says so
        "Net debt per share is below USD 3.": "found",
        "Net debt must grow by less than USD 100 million.": "found",
        "Revenue must have grown in 2024.": "met",
        "Did net debt rise?": "met",
        "Net debt must not increase.": "broken",
        "Revenue must not have fallen in 2023": "met",
        "The reasons for revenue growth must be disclosed": "not_found",
        "Revenue must have grown in 2022": "not_found",  # no year before it
    }
    told = check_rules(list(rules), Evidence([sheet], []), Teller("en"))
    assert {one.rule: one.status for one in told} == rules
    ratio = told[3]
    assert [one.text.partition(" |")[0] for one in ratio.evidence] == ["Net debt", "Revenue"]
    assert "has to be computed" in ratio.text
    [grown] = check_rules(["营业收入应同比增长"], _grown(), TELL)
    assert (grown.status, grown.text) == ("met", "符合：营业收入 300 万元（2022）→ 420 万元（2023），+40.00 %。")


def test_a_line_is_named_by_whole_words_and_a_long_one_is_quoted_in_part() -> None:
    days = [[f"2024-03-{day:02}", f"{day}.5", f"{day}.25"] for day in range(1, 29)]
    sheet = read_grid([["Date", "Close", "Low"], *days])
    below, close = check_rules(
        ["Net debt divided by revenue is below 0.3.", "Close is at least 20"], Evidence([sheet], []), Teller("en")
    )
    assert below.status == "not_found"
    assert close.status == "met"
    assert close.evidence[0].text.startswith("Close | … | 2024-03-17: 17.5")
    assert close.evidence[0].text.endswith("2024-03-28: 28.5")


def _grown() -> Evidence:
    return Evidence([read_grid([["项目", "2022年", "2023年"], ["营业收入", "300", "420"]], unit="单位：万元")], [])


def test_a_model_judges_from_the_evidence_and_must_quote_it() -> None:
    rules = ["报告应披露关联交易的定价方式"]
    quoted = {"status": "met", "quote": "关联交易均按市场价格定价", "reason": "已披露。"}
    for quote, status in ((quoted["quote"], "met"), ("关联交易免费", "found")):
        findings = Findings(name="a", kind="pdf", rules=check_rules(rules, PAGES, TELL))
        model = ScriptedModel([json.dumps({**quoted, "quote": quote}, ensure_ascii=False)])
        asyncio.run(judge_rules(findings, model, TELL))
        assert findings.rules[0].status == status
        assert [("未予采用" in notice) for notice in findings.notices] == [True] * (status == "found")


def test_that_a_model_judged_nothing_is_told() -> None:
    def away(request: object) -> str:
        raise ModelError("engines.server_refused", address="x", problem="no room")

    rules = ["报告应披露关联交易的定价方式", "应披露审计意见"]
    for script, told, asked in (("I am sorry.", "：2 条", 2), (away, "no room", 1)):
        findings = Findings(name="a", kind="pdf", rules=check_rules(rules, PAGES, TELL))
        assert [one.status for one in findings.rules] == ["found", "found"]
        model = ScriptedModel([script])
        asyncio.run(judge_rules(findings, model, TELL))
        assert [one.status for one in findings.rules] == ["found", "found"]
        [notice] = findings.notices
        assert told in notice
        assert len(model.asked) == asked


def test_rules_are_read_from_lines_and_yaml(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("# 规则\n1. 应披露审计意见\n\n- 应披露诉讼\n", encoding="utf-8")
    assert read_rules(tmp_path / "a.txt") == ["应披露审计意见", "应披露诉讼"]
    (tmp_path / "a.yaml").write_text("rules:\n  - rule: 应披露审计意见\n  - 应披露诉讼\n", encoding="utf-8")
    assert read_rules(tmp_path / "a.yaml") == ["应披露审计意见", "应披露诉讼"]
    (tmp_path / "b.yaml").write_text("rules: {}\n", encoding="utf-8")
    with pytest.raises(DataError, match="no rules"):
        read_rules(tmp_path / "b.yaml")
