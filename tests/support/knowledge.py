"""A knowledge base in memory, for tests of what is built upon one: no index, the same seam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from metier.knowledge.passage import Hit, Passage, passage_id
from metier.specialists.words import units


@dataclass
class MemoryBase:
    """Ranks its passages by the units they share with the question."""

    passages: Sequence[Passage]

    def search(
        self,
        text: str,
        *,
        limit: int = 10,
        titles: tuple[str, ...] = (),
        article: str = "",
        in_force_on: date | None = None,
    ) -> list[Hit]:
        wanted = set(units(text))
        kept = [
            passage
            for passage in self.passages
            if (not titles or passage.title in titles)
            and (not article or passage.article == article)
            and (in_force_on is None or passage.effective is None or passage.effective <= in_force_on)
        ]
        hits = [Hit(passage, float(len(wanted & set(units(f"{passage.source} {passage.text}"))))) for passage in kept]
        return [hit for hit in sorted(hits, key=lambda hit: -hit.score) if hit.score > 0][:limit]


def passage(text: str, *, title: str = "", article: str = "", file: str = "sample.txt", page: int = 1) -> Passage:
    """A passage that is the whole of a small document."""
    document = f"{title}{article}{file}"
    return Passage(
        id=passage_id(document, 0, len(text)),
        document=document,
        file=file,
        title=title,
        kind="statute" if article else "plain",
        text=text,
        start=0,
        end=len(text),
        page=page,
        last_page=page,
        article=article,
    )


# The project's own words, in the manner of a statute.
RULES_OF_WORK = MemoryBase(
    [
        passage(
            "用人单位在工作日安排劳动者延长工作时间的，支付不低于工资百分之一百五十的加班工资；在休息日安排工作又不能补休的，"
            "支付不低于工资百分之二百的加班工资；在法定节假日安排工作的，支付不低于工资百分之三百的加班工资。",
            title="示例劳动规则",
            article="第四条",
            file="rules.txt",
        ),
        passage(
            "劳动争议申请仲裁的时效期间为一年，从当事人知道或者应当知道其权利被侵害之日起计算。劳动关系存续期间因拖欠报酬发生争议的，"
            "不受一年时效的限制，但劳动关系终止的，应当自终止之日起一年内提出。",
            title="示例劳动规则",
            article="第九条",
            file="rules.txt",
        ),
        passage(
            "试用期最长不超过六个月，同一用人单位与同一劳动者只能约定一次试用期。",
            title="示例劳动规则",
            article="第二条",
            file="rules.txt",
        ),
    ]
)
