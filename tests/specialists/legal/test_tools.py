"""The tools as an answer calls them: by rule, without a model, on what the user said."""

from __future__ import annotations

import io
from datetime import date

import pytest

from metier.specialists.legal.docx import request_docx
from metier.specialists.tools import TOOLS, describe, use_tool
from tests.specialists.asking import ask
from tests.specialists.legal.talk import FOLLOW_UP, QUESTION, Shelf, article, by_rule, case, talk
from tests.web.legal_walk import FOLLOW_UP as WALK_FOLLOW_UP

NEW = article("劳动法", "第四十四条", "第四十四条 休息日安排工作又不能安排补休的，百分之二百。", date(2018, 12, 29))
OLD = article("劳动法", "第四十四条", "第四十四条 旧文。", date(1995, 1, 1), date(2018, 12, 29))
CASE = """## 基本事实
张某月薪9000元，公司以基本工资2500元为基数计算加班费，周末每月加班16小时。张某提交了考勤记录和微信记录。公司称未经审批。
## 处理结果
仲裁委支持张某加班费差额12000元的请求。
"""
OTHER = """## 基本事实
李某被公司辞退，主张违法解除赔偿金，提交了解除通知。
## 处理结果
驳回李某的请求。
"""


def test_the_difference_is_computed_only_when_the_hours_are_said() -> None:
    [(step, result)] = by_rule("overtime_pay", talk(QUESTION))
    assert result and step.arguments == {"contract_wage": "8000", "paid_base": "3000"}
    assert result.data["difference"] is None and "还缺：工作日延时加班时数" in result.text
    [(_, result)] = by_rule("overtime_pay", talk(QUESTION, FOLLOW_UP))
    assert result and result.data["difference"] == "28620.69"
    assert result.data["stated"]["weekday_hours"] == {"words": "30小时", "message": 2, "note": "30 h × 12"}


def test_what_a_tool_rests_on_comes_with_its_passage() -> None:
    [(_, result)] = by_rule("overtime_pay", talk(QUESTION, base=Shelf(OLD, NEW)))
    assert result and [hit.passage for hit in result.hits] == [NEW]


def test_an_article_is_given_as_it_stood_on_that_day() -> None:
    context = talk("劳动法第44条怎么说？", base=Shelf(OLD, NEW))
    [(_, result)] = by_rule("statute", context)
    assert result and [hit.passage for hit in result.hits] == [NEW]
    call = {"law": "《中华人民共和国劳动法》", "article": "44", "on": "2010-05-01"}
    _, before = use_tool("statute", TOOLS.get("statute"), call, context, "model")
    assert before and [hit.passage for hit in before.hits] == [OLD]


def test_an_article_that_is_not_there_is_said_to_be_missing() -> None:
    [(_, result)] = by_rule("statute", talk("劳动法第一百二十条是什么", base=Shelf(NEW)))
    assert result and "文档中没有 《劳动法》第一百二十条" in result.text and not result.hits


def test_precedents_say_what_agrees_what_differs_and_how_it_ended() -> None:
    shelf = Shelf(NEW, *case("张某案", CASE), *case("李某案", OTHER))
    [(_, result)] = by_rule("precedents", talk(QUESTION, base=shelf))
    assert result
    [found] = result.data["precedents"]
    assert (found["title"], found["outcome"]) == ("张某案", "supported")
    assert "按较低基数计发加班费" in found["agree"] and "有考勤（打卡）记录" in found["agree"]
    assert "单位抗辩：没有经过加班审批" in found["only_there"] and "有劳动合同" in found["only_here"]
    assert found["outcome_words"] in CASE


def test_the_analysis_names_what_is_there_and_what_is_missing() -> None:
    [(_, result)] = by_rule("case_analysis", talk(QUESTION))
    assert result
    [claim] = result.data["claims"]
    states = {element["name"]: element["state"] for element in claim["elements"]}
    assert states["加班事实及各类加班时数"] == "partly" and states["加班系单位安排（或明知并接受）"] == "shown"
    assert claim["risk"] == "medium" and claim["defences"][0]["raised"]
    assert any("查明：工作日延时加班时数" in step for step in result.data["steps"])


def test_the_draft_has_the_sum_and_marks_every_gap() -> None:
    from docx import Document

    context = talk(QUESTION, FOLLOW_UP, "帮我写仲裁申请书")
    [(_, result)] = by_rule("arbitration_request", context)
    assert result
    document = Document(io.BytesIO(request_docx(result.data)))
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert "加班费差额人民币28620.69元" in text and "【待补：申请人姓名】" in text
    marked = [run for paragraph in document.paragraphs for run in paragraph.runs if run.font.highlight_color]
    assert [run.text for run in marked] and all(run.text.startswith("【待补") for run in marked)
    assert set(result.data["gaps"]) == {run.text[4:-1] for run in marked}


def test_the_draft_without_hours_has_no_sum() -> None:
    [(_, result)] = by_rule("arbitration_request", talk(QUESTION, "请起草仲裁申请书"))
    assert result and "加班费差额，待加班时数齐备后计算" in result.text


def test_days_are_counted_where_it_is_asked() -> None:
    [(_, result)] = by_rule("date_arithmetic", talk("2023年3月1日到2025年6月30日是多久？"))
    assert result and result.data["total_days"] == 852


def test_no_rule_calls_a_tool_without_a_cause() -> None:
    context = talk("你好，请介绍一下你自己。")
    for name in ("overtime_pay", "limitation_period", "precedents", "case_analysis", "statute", "arbitration_request"):
        assert by_rule(name, context) == []


def test_every_tool_can_be_described_to_a_model() -> None:
    for name in TOOLS:
        spec = describe(name, TOOLS.get(name))
        assert spec.description and spec.parameters["type"] == "object"


def test_a_general_question_about_a_claim_is_no_case() -> None:
    context = talk("加班费的个人所得税怎么交？", base=Shelf(NEW, *case("张某案", CASE)))
    for name in ("overtime_pay", "limitation_period", "precedents", "case_analysis"):
        assert by_rule(name, context) == []
    assert by_rule("limitation_period", talk("两年前的加班费还能要吗？"))


CASE_RULES = ("overtime_pay", "limitation_period", "precedents", "case_analysis")


@pytest.mark.parametrize(
    "asked",
    [
        "三亚天气怎么样？",
        "明天三亚的机票2000元贵吗？",
        "三亚最近一年的天气怎么样？",
        "三亚现在还能去吗？",
        "帮我写签证申请。",
        "What is the weather like in Sanya?",
        "微信怎么清理缓存？",
        "微信怎么清理缓存",
        "谢谢",
        "好的，谢谢您！",
        "thanks",
        "Thank you very much!",
    ],
)
def test_a_case_that_was_told_is_no_answer_to_what_is_not_about_it(asked: str) -> None:
    context = talk(QUESTION, asked, base=Shelf(NEW, *case("张某案", CASE)))
    for name in (*CASE_RULES, "arbitration_request"):
        assert by_rule(name, context) == []


@pytest.mark.parametrize(
    "asked",
    [
        WALK_FOLLOW_UP,
        "请起草仲裁申请书",
        "公司说没有审批不算加班。",
        "我还在职",
        "最近两年的",
        "能要多少钱？",
        "那我该怎么办？",
        "还来得及吗？",
        "我能赢吗？下一步呢？",
        "请帮我算一下",
        "What evidence is missing?",
        "我还有微信",
        "微信聊天记录删了怎么办？",
    ],
)
def test_a_follow_up_goes_on_with_the_case(asked: str) -> None:
    context = talk(QUESTION, asked, base=Shelf(NEW, *case("张某案", CASE)))
    for name in CASE_RULES:
        assert by_rule(name, context), name
    assert bool(by_rule("arbitration_request", context)) == ("申请书" in asked)


def test_what_the_documents_do_not_say_is_refused_after_a_case_too() -> None:
    tools = ("overtime_pay", "limitation_period", "precedents", "case_analysis")
    assert ask(QUESTION, "好的。", "三亚天气怎么样？", tools=tools).mode == "abstained"
    assert ask(QUESTION, "好的。", "那我该怎么办？", tools=tools).mode == "quoted"
    thanked = ask(QUESTION, "好的。", "谢谢！", tools=tools)
    assert (thanked.steps, thanked.citations, thanked.text) == ((), (), "好的，有问题请随时问。")
