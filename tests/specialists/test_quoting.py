"""Answers without a model: quotations with sources, and a plain “not in the documents”."""

from __future__ import annotations

from typing import Any

import pytest

from metier.core.i18n import translate
from metier.specialists.quoting import best_words
from tests.specialists.asking import ask, pieces
from tests.support.scripted import ScriptedModel


def test_the_best_passage_is_quoted_letter_by_letter_with_its_source() -> None:
    answer = ask("休息日加班工资怎么算？")
    first = answer.citations[0]
    evidence = next(one for one in answer.evidence if one.number == first.number)
    assert (answer.mode, answer.version, evidence.title) == ("quoted", "v1", "示例劳动规则 第四条")
    assert evidence.text[first.quote_start : first.quote_end] in answer.text
    assert answer.text[first.start : first.end] == f"[{first.number}]"


def test_the_pieces_make_the_whole_text() -> None:
    got = pieces("休息日加班工资怎么算？", rules={"disclaimer": {"en": "Not advice.", "zh": "不构成法律意见。"}})
    assert "".join(piece.text for piece in got if piece.kind == "answer") == got[-1].answer.text
    assert got[-1].answer.text.endswith("不构成法律意见。")


def test_a_follow_up_is_understood_with_what_was_said_before() -> None:
    alone = ask("那最晚到什么时候？")
    followed = ask("公司拖欠加班工资，我想申请劳动争议仲裁。", "好的。", "那最晚到什么时候？")
    assert alone.mode == "abstained"
    assert followed.evidence[0].title == "示例劳动规则 第九条"


def test_a_question_on_something_else_is_not_answered_from_what_was_said_before() -> None:
    assert ask("公司拖欠加班工资，我想申请劳动争议仲裁。", "好的。", "世界杯冠军是哪支球队？").mode == "abstained"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("火星上的土壤能种土豆吗？", "火星"),
        ("《示例税务规则》第三条写了什么？", "《示例税务规则》"),
        ("示例劳动规则第八十条怎么说？", "第八十条"),
    ],
)
def test_what_is_not_in_the_documents_is_said_with_what_would_be_needed(question: str, said: str) -> None:
    answer = ask(question)
    assert (answer.mode, answer.citations) == ("abstained", ())
    assert said in answer.text
    assert "还需要" in answer.text


def test_a_figure_that_the_question_puts_into_the_law_is_pointed_out() -> None:
    assert "没有出现“5倍”" in ask("法律规定休息日加班工资是5倍，对吗？").text
    assert "没有出现" not in ask("法律规定休息日加班工资是2倍，对吗？").text


def test_of_a_long_passage_the_sentences_on_the_question_are_quoted_to_the_end_of_their_paragraph() -> None:
    filler = "机器的外壳用柔软的布擦拭，不要使用含有酒精的清洁剂或者粗糙的海绵。\n\n" * 8
    text = f"{filler}E3 表示冲煮单元堵塞。请关机后取出，用温水冲洗。\n\n{filler}"
    start, end = best_words(text, "E3 冲煮单元堵塞怎么办？")
    assert text[start:end] == "E3 表示冲煮单元堵塞。请关机后取出，用温水冲洗。"


def test_words_that_call_for_a_person_are_met_first() -> None:
    rule = {"when": ["不想活"], "say": {"en": "Call for help.", "zh": "请立即拨打求助热线。"}}
    assert ask("被拖欠加班工资，我不想活了", rules={"escalate": [rule]}).text.startswith("请立即拨打求助热线。")


def test_nothing_stands_above_a_word_that_calls_for_a_person() -> None:
    rules = {"escalate": [{"when": ["不想活"], "say": {"zh": "请立即拨打 120。"}}]}
    said = pieces("我不想活了。休息日加班工资怎么算？", rules=rules)
    assert "notice" not in [piece.kind for piece in said]
    assert said[0].text.startswith("请立即拨打 120。")
    assert "notice" in [piece.kind for piece in pieces("休息日加班工资怎么算？", rules=rules)]
    remembers = {**rules, "abstain": False, "cite": False}
    told = pieces("我不想活了。火星的天气怎么样？", model=ScriptedModel(["很冷。"]), rules=remembers)
    assert {piece.kind for piece in told} == {"answer", "evidence", "end"}
    text = told[-1].answer.text  # type: ignore[union-attr]
    assert text.startswith("请立即拨打 120。") and translate("specialists.from_memory", language="zh") in text
    assert text.endswith("很冷。")


def test_a_reader_of_reports_that_was_given_none_says_that_it_answers_from_memory() -> None:
    told = translate("specialists.no_report", language="en")
    reader: dict[str, Any] = {
        "names": (),
        "knowledge": {},
        "findings": True,
        "rules": {"cite": False},
        "language": "en",
    }

    def notices(question: str, **fields: Any) -> tuple[str, ...]:
        model = ScriptedModel(["The revenue in 2024 was 2024.00."])
        return ask(question, model=model, **{**reader, **fields}).notices

    assert told in notices("What was revenue in 2024?")
    assert told not in notices("What was revenue in 2024?", findings=False)
    assert told not in notices("What is (12 - 10) / 10?", tools=("calculate",))  # a tool has computed


def test_without_model_and_documents_an_answer_is_not_empty() -> None:
    for findings, key in ((True, "no_report_here"), (False, "no_documents")):
        told = ask("What was revenue in 2024?", names=(), knowledge={}, findings=findings, language="en")
        assert told.text == translate(f"specialists.{key}", language="en")
        assert told.notices == (translate("specialists.no_model_alone", language="en"),)
