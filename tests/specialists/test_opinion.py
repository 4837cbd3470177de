"""A model's opinion counts only where words do not decide, and only of a model that tells true from false."""

from __future__ import annotations

from metier.engines.chatmodel import Request
from tests.specialists.asking import ask
from tests.support.scripted import ScriptedModel

QUESTION = "休息日安排工作，加班工资怎么算？"
RIGHT = "在休息日安排工作又不能补休的，支付不低于工资百分之二百的加班工资[1]。"
LOOSE = "星期六被叫去单位干活的，加班工资支付要翻一番[1]。"


def reading(name: str, *, able: bool) -> ScriptedModel:
    """A model that writes a plain and a loose sentence, and answers yes or no to what it is asked about texts."""

    def said(request: Request) -> str:
        asked = request.turns[-1].message.text
        if "只回答“是”或“否”" not in asked:
            return RIGHT + LOOSE
        wrong = ("换锁", "餐厅里去")
        return "否" if able and any(words in asked for words in wrong) else "是"

    return ScriptedModel([said], name=name)


def test_a_model_that_knows_true_from_false_decides_what_words_leave_open() -> None:
    answer = ask(QUESTION, model=reading("able", able=True))
    assert [one.verdict for one in answer.sentences] == ["supported", "supported"]


def test_a_model_that_says_yes_to_everything_is_asked_once_and_not_believed() -> None:
    model = reading("nodding", able=False)
    answer = ask(QUESTION, model=model)
    assert [one.verdict for one in answer.sentences] == ["supported", "unsupported"]
    assert len(model.asked) == 1 + 4
    ask(QUESTION, model=model)
    assert len(model.asked) == 2 + 4


def test_the_model_writes_a_query_where_the_specialist_says_so() -> None:
    def said(request: Request) -> str:
        return "试用期 期限" if "检索词" in request.turns[-1].message.text else "资料中没有答案。"

    answer = ask(
        "刚进公司先干多久才算正式？", model=ScriptedModel([said]), retrieval={"rewrite": True, "min_support": 0}
    )
    assert answer.evidence[0].title == "示例劳动规则 第二条"
