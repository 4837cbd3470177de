"""A knowledge base of a few passages in memory, searched by the letters that they share with a question."""

from __future__ import annotations

from datetime import date
from typing import Any

from metier.knowledge.passage import Hit, Passage, passage_id

LAW = "示例劳动法"
ARTICLES = {
    "第三条": "第三条 用人单位安排劳动者延长工作时间的，支付不低于工资的百分之一百五十的工资报酬。",
    "第四条": "第四条 劳动争议申请仲裁的时效期间为一年，自当事人知道权利被侵害之日起计算。",
}


class Shelf:
    """The sample articles, or others."""

    def __init__(self, articles: dict[str, str] | None = None, *, effective: date | None = None) -> None:
        self.passages: list[Passage] = []
        place = 0
        for article, text in (articles or ARTICLES).items():
            end = place + len(text)
            self.passages.append(
                Passage(
                    id=passage_id("d1", place, end), document="d1", file="law.txt", title=LAW, kind="statute",
                    text=text, start=place, end=end, page=1, last_page=1, article=article, effective=effective,
                )
            )  # fmt: skip
            place = end + 1

    def search(self, text: str, *, limit: int = 10, **_filters: Any) -> list[Hit]:
        """Passages with the most letters in common."""
        scored = [(len(set(text) & set(one.text)), one) for one in self.passages]
        scored = sorted(((score, one) for score, one in scored if score > 2), key=lambda pair: -pair[0])
        return [Hit(one, float(score)) for score, one in scored[:limit]]
