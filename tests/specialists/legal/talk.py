"""Conversations and documents for the tests of the legal tools."""

from __future__ import annotations

import re
from datetime import date

from metier.data.messages import Message, TextPart
from metier.engines.chatmodel import Turn
from metier.knowledge.passage import Hit, Passage, passage_id
from metier.specialists.evidence import ToolStep
from metier.specialists.tools import RULES, TOOLS, Searchable, ToolContext, ToolResult, use_tool

TODAY = date(2026, 11, 28)
# The question of the legal walk-through, word for word, and a follow-up that only makes sense after it.
QUESTION = (
    "我有考勤记录截图和与领导沟通加班的微信记录。劳动合同写的是月薪8000元，"
    "但公司一直按基本工资3000元为基数算加班费。我主张最近一年的。"
)
FOLLOW_UP = "工作日每月加班30小时，周末每个月加班16个小时，国庆加班3天。我还在职，公司说没有审批不算加班。"


def talk(*said: str, base: Searchable | None = None, language: str = "zh") -> ToolContext:
    turns = [Turn(Message("user", (TextPart(text),))) for text in said]
    return ToolContext(turns, {"law": base} if base else {}, language, TODAY)  # type: ignore[arg-type]


def by_rule(name: str, context: ToolContext) -> list[tuple[ToolStep, ToolResult | None]]:
    return [use_tool(name, TOOLS.get(name), call, context, "rule") for call in RULES.get(name)(context)]


class Shelf:
    """A few passages that are found by the characters they share with the question."""

    def __init__(self, *passages: Passage) -> None:
        self.passages = passages

    def search(
        self,
        text: str,
        *,
        limit: int = 10,
        titles: tuple[str, ...] = (),
        article: str = "",
        in_force_on: date | None = None,
    ) -> list[Hit]:
        found = [
            Hit(one, float(len(set(text) & set(one.title + one.text))))
            for one in self.passages
            if (not titles or one.title in titles)
            and (not article or one.article == article)
            and (not in_force_on or not one.effective or one.effective <= in_force_on)
            and (not in_force_on or not one.until or in_force_on < one.until)
        ]
        return sorted(found, key=lambda hit: -hit.score)[:limit]


def article(law: str, number: str, text: str, effective: date | None = None, until: date | None = None) -> Passage:
    ident = passage_id(law + number + str(effective), 0, len(text))
    return Passage(ident, law, f"{law}.txt", law, "statute", text, 0, len(text), 1, 1, number, (), effective, until)


def case(title: str, text: str) -> list[Passage]:
    """A case by its sections, as documents are split."""
    found = []
    for part in re.finditer(r"## (.+)\n([^#]+)", text):
        start, end = part.span()
        place = passage_id(title, start, end)
        found.append(
            Passage(place, title, f"{title}.md", title, "case", part[2].strip(), start, end, 1, 1, "", (part[1],))
        )
    return found
