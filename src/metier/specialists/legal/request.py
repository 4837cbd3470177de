"""Draft of a request for arbitration, filled from the conversation. What was not said stays a marked gap.

The sections are those that article 28 of the Labour Dispute Mediation and Arbitration Law asks for: the parties, the
requests with facts and reasons, the evidence with its sources. The draft is Chinese: that is what the commission reads.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from metier.specialists.legal.analysis import Analysis, ClaimFinding
from metier.specialists.legal.evidence import evidence_kinds
from metier.specialists.legal.facts import Facts
from metier.specialists.legal.overtime import OvertimePay, plain

KIND_NAMES = {"weekday": "工作日延时加班", "rest_day": "休息日加班", "public_holiday": "法定休假日加班"}


@dataclass(frozen=True, slots=True)
class Person:
    """Who is named in the request; empty parts become gaps."""

    name: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its paragraphs."""

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestDraft:
    """The whole draft. gaps: what is still to be filled in, as it stands in the text."""

    title: str
    sections: tuple[Section, ...]
    closing: tuple[str, ...]
    gaps: tuple[str, ...]


def gap(what: str) -> str:
    """A marked place for something that nobody has said."""
    return f"【待补：{what}】"


def draft_request(
    analysis: Analysis, *, applicant: Person = Person(), respondent: Person = Person(), commission: str = ""
) -> RequestDraft:
    """The draft for what the analysis found."""
    facts = analysis.facts
    sections = (
        Section("申请人", (f"姓名：{applicant.name or gap('申请人姓名')}",
                           applicant.details or gap("性别、年龄、职业、身份证号、住所、联系电话"))),
        Section("被申请人", (f"名称：{respondent.name or gap('单位全称（与营业执照一致）')}",
                             respondent.details or gap("住所、法定代表人或主要负责人姓名和职务、联系电话"))),
        Section("仲裁请求", tuple(f"{number}. {text}" for number, text in enumerate(_requests(analysis), 1))),
        Section("事实与理由", tuple(_reasons(analysis))),
        Section("证据清单", tuple(f"{number}. {text}" for number, text in enumerate(_evidence(facts), 1))),
    )  # fmt: skip
    closing = ("此致", commission or gap("有管辖权的劳动人事争议仲裁委员会（劳动合同履行地或用人单位所在地）"),
               f"申请人（签名）：{gap('签名')}", f"日期：{gap('年月日')}")  # fmt: skip
    texts = [*(one for section in sections for one in section.paragraphs), *closing]
    return RequestDraft("劳动人事争议仲裁申请书", sections, closing, _gaps(texts))


def _gaps(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found for text in texts for found in re.findall(r"【待补：([^】]+)】", text)))


def _requests(analysis: Analysis) -> list[str]:
    return [_request(finding, analysis.facts) for finding in analysis.claims]


def _request(finding: ClaimFinding, facts: Facts) -> str:
    period = _period(facts)
    if finding.claim.key == "overtime":
        amount = finding.amount.difference if finding.amount else None
        sum_ = f"人民币{amount}元" if amount is not None else gap("加班费差额，待加班时数齐备后计算") + "元"
        return f"裁决被申请人支付申请人{period}的加班费差额{sum_}。"
    return f"裁决被申请人支付申请人{finding.claim.name['zh']}{gap(finding.claim.name['zh'] + '的金额及期间')}元。"


def _period(facts: Facts) -> str:
    period = facts.last("period")
    if period:
        first, last = period.value
        return f"{_day(first)}至{_day(last)}"
    months = facts.amount("period_months")
    return f"最近{plain(months)}个月（{gap('起止日期')}）" if months else gap("主张期间的起止日期")


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _reasons(analysis: Analysis) -> list[str]:
    facts = analysis.facts
    started, ended = facts.day("started"), facts.day("ended")
    wage = facts.amount("contract_wage")
    lines = [
        f"申请人于{_day(started) if started else gap('入职日期')}入职被申请人，任{gap('岗位')}，"
        + (f"劳动合同约定月工资{plain(wage)}元。" if wage else f"约定月工资{gap('月工资标准')}元。")
    ]
    if ended:
        lines.append(f"双方劳动关系于{_day(ended)}终止。")
    elif facts.employed:
        lines.append("申请人目前仍在职。")
    for finding in analysis.claims:
        lines += _reasons_of(finding, facts)
        basis = "、".join(str(article) for article in finding.articles)
        lines.append(f"法律依据（{finding.claim.name['zh']}）：{basis}。")
    lines.append("综上，为维护申请人的合法权益，特申请仲裁，请依法裁决。")
    return lines


def _reasons_of(finding: ClaimFinding, facts: Facts) -> list[str]:
    if finding.claim.key != "overtime" or finding.amount is None:
        return [f"{finding.claim.name['zh']}：{gap('具体经过')}。"]
    pay = finding.amount
    lines = []
    base = facts.amount("paid_base")
    if base is not None:
        lines.append(
            f"被申请人以{plain(base)}元为基数计发加班费，低于劳动合同约定的月工资标准{plain(pay.base.monthly)}元。"
        )
    lines.append(
        f"加班费应以月工资{plain(pay.base.monthly)}元为基数，按每月174小时（21.75天）折算，每小时约{pay.base.hourly}元。"
    )
    return lines + calculation(pay)


def calculation(pay: OvertimePay) -> list[str]:
    """The calculation line by line, with gaps for hours that are not known."""
    lines = []
    known = {line.kind: line for line in pay.lines}
    for rate in pay.rates:
        name = KIND_NAMES[rate.kind]
        line = known.get(rate.kind)
        if line:
            lines.append(f"{name}：{line.formula}（元）。")
        else:
            lines.append(f"{name}：{plain(pay.base.monthly)} ÷ 174 × {plain(rate.factor)} × {gap(name + '时数')}。")
    if pay.difference is not None:
        lines.append(f"应付合计{pay.due}元，已付{pay.paid}元，差额{pay.difference}元。")
    return lines


def _evidence(facts: Facts) -> list[str]:
    kinds = evidence_kinds()
    named = [key for key in facts.keys("evidence") if key not in facts.keys("no_evidence")]
    lines = [
        f"{kinds[key].name['zh']}：来源{gap(kinds[key].name['zh'] + '的来源与份数')}，证明{_shows(key)}"
        for key in named
    ]
    return lines or [gap("证据名称、来源和证明目的")]


_PURPOSES = {
    "overtime_worked": "加班事实和时数", "overtime_ordered": "加班系单位安排", "employment": "劳动关系",
    "wage_agreed": "约定的工资标准", "wage_paid": "实际支付情况", "dismissal_said": "单位作出解除决定",
    "employment_ended": "劳动关系终止", "claimed_before": "曾向单位主张权利", "house_rules": "单位规章制度",
}  # fmt: skip


def _shows(key: str) -> str:
    return "、".join(_PURPOSES[one] for one in evidence_kinds()[key].shows) + "。"
