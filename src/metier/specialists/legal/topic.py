"""Whether the user's last message is about the case: one that was told is no answer to whatever is asked after it."""

from __future__ import annotations

import re

from metier.specialists.courtesy import is_courtesy
from metier.specialists.legal.facts import Fact, Facts
from metier.specialists.tools.tool import ToolContext
from metier.specialists.words import matter

# What is read without knowing what it is: a price, a day or a time of anything.
_OF_ANYTHING = ("amount", "day", "period", "period_months")
# Evidence that everybody has on the phone for other things too, and what is said of it where it is evidence.
_EVERYDAY = ("chat", "mail", "bank")
_AS_EVIDENCE = re.compile(r"有|保存|存着|留着|记录|截图|聊天|导出|原件|里说|说过|发过|承认|答应|证")
_OF_A_CASE = re.compile(
    r"仲裁|起诉|诉讼|官司|胜诉|败诉|胜算|索赔|赔偿|补偿|差额|时效|案[子件情]|证据|举证|证明|抗辩|主张|回应|反驳"
    r"|加班|工资|薪|工时|休息日|调休|补休|公司|单位|老板|领导|主管|经理|同事|人事|劳动|合同|考勤|审批|离职|辞职|辞退|解除|社保"
    r"|\b(?:case|claims?|evidence|arbitration|overtime|wages?|employers?|contract|limitation|draft)\b",
    re.IGNORECASE,
)
# What a follow-up says without naming what it is about.
_GOES_ON = re.compile(
    r"最近|过去|一共|总共|继续|下一步|接下来|风险|材料|准备|申请书?|起草|帮|[能会打]*赢|拿?[回得]来?|来得及|计算|算"
    r"|\bnext\b|\bsteps?\b|\bgo on\b|\bcontinue\b|\bwin\b",
    re.IGNORECASE,
)


def is_about_the_case(context: ToolContext, facts: Facts) -> bool:
    """Whether the last message adds a claim or a fact, asks with words of a case, or names no other matter.

    facts: of the whole conversation.
    """
    rest = context.question
    if is_courtesy(rest):
        return False
    for fact in facts.found:
        if fact.message == len(context.said) - 1:
            if not _may_be_of_anything(fact, context.question):
                return True
            rest = rest.replace(fact.words, " ")
    return bool(_OF_A_CASE.search(rest)) or not matter(_GOES_ON.sub(" ", rest))


def _may_be_of_anything(fact: Fact, message: str) -> bool:
    if fact.name in ("evidence", "no_evidence"):
        return fact.value in _EVERYDAY and not _AS_EVIDENCE.search(message)
    return fact.name in _OF_ANYTHING
