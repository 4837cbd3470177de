"""The written mode: what a model says is checked before it is shown."""

from __future__ import annotations

import pytest

from metier.core.errors import ModelError
from metier.engines.chatmodel import Request, ToolCall
from metier.specialists.checking import Checker
from metier.specialists.draft import Draft
from metier.specialists.evidence import Evidence
from metier.specialists.spec import AnswerRules
from tests.specialists.asking import ask, pieces
from tests.support.scripted import ScriptedModel

QUESTION = "公司拖欠休息日加班工资，怎么算，多久内申请仲裁？"
DOUBLE = "在休息日安排工作又不能补休的，支付不低于工资百分之二百的加班工资"


def number(model: ScriptedModel, words: str) -> int:
    """The number under which the model was shown a passage."""
    prompt = model.asked[0].turns[-1].message.text
    before = prompt[: prompt.index(words)]
    return int(before[before.rindex("\n[") + 2 if "\n[" in before else before.rindex("[") + 1 :].split("]")[0])


def citing(*sentences: str) -> ScriptedModel:
    """A model that puts the right number where `{double}` and `{year}` stand."""

    def said(request: Request) -> str:
        numbers = {"double": number(model, "百分之二百"), "year": number(model, "时效期间为一年")}
        return "".join(sentences).format(**numbers)

    model = ScriptedModel([said])
    return model


def test_a_cited_and_borne_out_sentence_is_shown_and_points_at_its_words() -> None:
    model = citing(
        "休息日安排工作又不能补休的，支付不低于工资200%的加班工资[{double}]。", "申请仲裁的时效期间为一年[{year}]。"
    )
    answer = ask(QUESTION, model=model)
    assert (answer.mode, [one.verdict for one in answer.sentences]) == ("written", ["supported"] * 2)
    first = answer.citations[0]
    cited = next(one for one in answer.evidence if one.number == first.number)
    assert "百分之二百" in cited.text[first.quote_start : first.quote_end]
    assert answer.text[first.start : first.end] == f"[{first.number}]"


def test_a_number_that_does_not_exist_is_no_citation() -> None:
    answer = ask(QUESTION, model=citing(f"{DOUBLE}[{{double}}]。", "申请仲裁的时效期间为一年[77]。"))
    assert "77" not in answer.text
    # The claim is borne out all the same, by a passage that exists.
    assert answer.sentences[1].verdict == "supported"
    assert {one.number for one in answer.citations} <= {one.number for one in answer.evidence}


@pytest.mark.parametrize(
    "false",
    [
        "休息日安排工作又不能补休的，支付不低于工资百分之五百的加班工资[{double}]。",
        "根据示例劳动规则第八十八条，在休息日安排工作应当支付加班工资[{double}]。",
        "火星殖民公司的股东大会每三年召开一次[{double}]。",
        "规则写道：“用人单位可以不支付任何休息日的工资，也不必安排劳动者补休”[{double}]。",
    ],
    ids=["a wrong figure", "a wrong article", "something else", "a made-up quotation"],
)
def test_what_the_evidence_does_not_bear_out_is_marked_or_taken_out(false: str) -> None:
    right = f"{DOUBLE}[{{double}}]。"
    marked = ask(QUESTION, model=citing(right, false))
    removed = ask(QUESTION, model=citing(right, false), rules={"unsupported": "remove"})
    assert "文档中未见依据" in marked.text
    assert marked.sentences[1].verdict == "unsupported"
    assert len(marked.citations) == len(removed.citations) == 1
    assert removed.text.endswith("。") and "⚠" not in removed.text
    assert len(removed.text) < len(marked.text)
    assert any("已删去 1 句" in notice for notice in removed.notices)


def test_a_quotation_with_a_slip_gets_the_passages_own_words() -> None:
    slip = "规则写道：“在休息日安排工作又不能补修的，支付不低于工资百分之二百的加班工资”[{double}]。"
    answer = ask(QUESTION, model=citing(slip))
    assert f"“{DOUBLE}”" in answer.text
    assert "补修" not in answer.text


def test_a_model_that_cannot_cite_is_stopped_and_the_passages_are_quoted_instead() -> None:
    babble = "The sky is a green river of seven mountains. " * 40
    model = ScriptedModel([babble])
    answer = ask(QUESTION, model=model)
    assert (answer.mode, model.closed) == ("quoted", True)
    assert "mountains" not in answer.text
    assert "模型的回答无法与文档核对" in answer.reason
    assert answer.citations


def test_a_model_that_repeats_itself_is_stopped() -> None:
    right, babble = f"{DOUBLE}[{{double}}]。", "申请仲裁的时效期间为一年[{year}]。"
    model = citing(right, *[babble] * 40)
    answer = ask(QUESTION, model=model)
    assert (answer.mode, answer.finished_by, model.closed) == ("written", "stopped", True)
    assert answer.text.count("时效期间") <= 3
    assert any("已被停止" in notice for notice in answer.notices)


def test_copying_titles_and_the_users_words_is_not_citing() -> None:
    model = ScriptedModel(["**示例劳动规则 第四条**\n我主张休息日的加班工资。月球上的工资以贝壳支付。"])
    assert ask("我主张休息日的加班工资。怎么算？", model=model).mode == "quoted"


def test_warnings_of_an_earlier_answer_are_not_shown_to_the_model() -> None:
    model = citing("申请仲裁的时效期间为一年[{year}]。")
    rules = {"disclaimer": {"en": "No advice.", "zh": "不构成意见。"}}
    ask("加班工资？", "按贝壳支付（⚠ 文档中未见依据）。\n\n不构成意见。", QUESTION, model=model, rules=rules)
    assert model.asked[0].turns[2].message.text == "按贝壳支付。"


def test_a_model_that_finds_no_answer_in_the_passages_abstains() -> None:
    answer = ask(QUESTION, model=ScriptedModel(["资料中没有答案。"]))
    assert answer.mode == "abstained"
    assert "还需要" in answer.text


def test_thinking_is_apart() -> None:
    model = citing(f"{DOUBLE}[{{double}}]。")
    model.thinking = "先看看第四条。"
    answer = ask(QUESTION, model=model)
    assert (answer.thinking, "先看看" in answer.text) == ("先看看第四条。", False)


def test_the_users_own_statement_is_evidence_marked_as_such() -> None:
    def said(request: Request) -> str:
        mine, law = number(model, "劳动合同写的是月薪8000元"), number(model, "百分之二百")
        return f"您的劳动合同约定月薪8000元[{mine}]。{DOUBLE}[{law}]。"

    model = ScriptedModel([said])
    answer = ask("我的劳动合同写的是月薪8000元。休息日加班工资怎么算？", model=model)
    cited = next(one for one in answer.evidence if one.number == answer.citations[0].number)
    assert (cited.kind, answer.sentences[0].verdict) == ("user", "supported")


def test_what_does_not_fit_the_window_is_said_and_never_cited() -> None:
    said = citing(f"{DOUBLE}[{{double}}]。", "试用期最长不超过六个月[3]。")
    said.context_length = 1100
    answer = ask("旧的问题" * 60, "旧的回答", QUESTION, model=said, sampling={"max_new_tokens": 300})
    shown = said.asked[0].turns[-1].message.text
    assert said.count(said.asked[0].turns) <= 800
    assert any("超出模型窗口" in notice for notice in answer.notices)
    assert all(one.text in shown for one in answer.evidence)


def test_numbers_of_an_earlier_answer_are_not_shown_to_the_model() -> None:
    model = citing("申请仲裁的时效期间为一年[{year}]。")
    ask("休息日加班工资怎么算？", "按双倍支付[9]。", QUESTION, model=model)
    assert "[9]" not in "".join(turn.message.text for turn in model.asked[0].turns)


def test_a_tool_that_the_model_calls_is_a_step_and_its_passages_are_evidence() -> None:
    def then(request: Request) -> str:
        found = request.turns[-1].message.text
        return f"试用期最长不超过六个月[{found.split(']')[0].rsplit('[')[-1]}]。"

    call = ToolCall("c1", "search_documents", '{"text": "试用期 约定"}')
    model = ScriptedModel([call, then], can_call_tools=True)
    answer = ask("休息日加班怎么算加班工资？", model=model, tools=["search_documents"], retrieval={"limit": 1})
    assert [(step.name, step.called_by, step.error) for step in answer.steps] == [("search_documents", "model", "")]
    assert answer.sentences[0].verdict == "supported"
    assert answer.prompt_tokens > 0


def test_a_model_that_only_calls_tools_is_ended_and_the_passages_are_quoted() -> None:
    call = ToolCall("c1", "search_documents", '{"text": "试用期"}')
    answer = ask(QUESTION, model=ScriptedModel([call], can_call_tools=True), tools=["search_documents"])
    assert (answer.mode, bool(answer.citations)) == ("quoted", True)


def test_a_model_that_fails_leaves_the_quotations() -> None:
    def broken(request: Request) -> str:
        raise ModelError("specialists.tool_loop", model="m", problem="gone")

    answer = ask(QUESTION, model=ScriptedModel([broken]))
    assert (answer.mode, "gone" in answer.reason) == ("quoted", True)


def test_without_documents_a_specialist_just_talks() -> None:
    model = ScriptedModel(["Hello there. How are you?"])
    got = pieces("Hello?", knowledge={}, model=model, language="en", rules={"cite": False, "abstain": False})
    assert got[-1].answer.text == "Hello there. How are you?"
    assert len([piece for piece in got if piece.kind == "answer"]) > 3


BARE = {"knowledge": {}, "language": "en", "rules": {"cite": False, "abstain": False, "quote": "never"}}


def test_a_bare_model_that_goes_in_circles_is_stopped_and_its_tokens_are_counted() -> None:
    model = ScriptedModel(["We say: " + "the wage is the wage.\n\n" * 400])
    answer = ask("How much?", model=model, **BARE)
    assert (answer.mode, answer.finished_by, model.closed) == ("written", "stopped", True)
    assert 4 <= answer.text.count("the wage is the wage.") <= 5
    assert answer.notices[1:] == ("The model went on without evidence, or in circles, and was stopped.",)
    assert answer.completion_tokens >= len(answer.text) and answer.prompt_tokens > 0


@pytest.mark.parametrize(
    "said",
    ["| a | b |\n" + "|---|---|" * 20 + "\n| 1 | 2 |", "No, no, no, no, no.", "----" * 40 + "Yes.",
     "".join(f"{year}: a year of {year % 7} cases.\n" for year in range(1990, 2026))],
)  # fmt: skip
def test_a_bare_model_may_draw_lines_and_lists(said: str) -> None:
    answer = ask("How much?", model=ScriptedModel([said]), **BARE)
    assert (answer.text, answer.finished_by) == (said.rstrip(), "stop")


def test_saying_the_question_again_is_not_citing_though_a_tool_names_its_words() -> None:
    said = "公司每月按基本工资3000元为基数算加班费。"
    words = {"user": said, "tool": f"单位所用基数：来自您第 1 条消息中的“{said}”每小时少付 43.10 元。"}
    evidence = {
        number: Evidence(number, kind, words[kind])  # type: ignore[arg-type]
        for number, kind in enumerate(("user", "tool"), 1)
    }
    checker = Checker(Draft("legal", "v1"), AnswerRules(), "zh", evidence)
    assert checker.take("公司每月按基本工资3000元为基数算加班费[2]。") == []
    assert checker.finish() == []
    assert checker.take("每小时少付43.10元[2]。") + checker.finish() != []
