"""Evidence that the user names, what is claimed, how the employment stands, and what the employer says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from metier.specialists.legal.clauses import Clause
from metier.specialists.legal.evidence import evidence_kinds

_NOT = re.compile(r"(?:没有?|未|无|缺少?|不)(?:任何|签订?|有|书面|保留|留下|订立)*$")
_NO_CONTRACT = r"(?:没有?|未)(?:签订|签过|签署|签|订立)(?:书面|劳动)*合同"
_WITHOUT_CONTRACT = re.compile(rf"{_NO_CONTRACT}|没有?(?:书面|劳动)+合同")
_EMPLOYED = re.compile(r"(?:还|仍|目前|现在|一直)在?(?:职|公司上班|这家公司|公司工作)|没有?离职|未离职|在职(?!期间)")
_ENDED = re.compile(r"(?:已经?|被|后来)?(?:离职|辞退|开除|解雇|辞职|解除劳动(?:合同|关系)|裁员|劝退)(?:了|后|以后)?")
_SUPPOSED = re.compile(r"如果|要是|想|打算|准备|能不能|会不会|怕")
_CLAIMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("overtime", re.compile(r"加班")),
    ("wages", re.compile(r"拖欠工资|欠薪|没发工资|不发工资|克扣工资|扣了?.{0,4}工资|工资(?:一直)?(?:没|未)发")),
    ("double_wage", re.compile(rf"[双二两]倍工资|{_NO_CONTRACT}")),
    ("severance", re.compile(r"经济补偿|补偿金|被迫(?:辞职|解除|离职)")),
    ("unlawful_dismissal", re.compile(r"违法(?:解除|辞退|开除)|赔偿金|被(?:公司)?(?:辞退|开除|解雇|裁|劝退)|无故辞退")),
    ("annual_leave", re.compile(r"年休假|年假")),
)
_DEFENCES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("not_approved", re.compile(r"(?:没有?|未)(?:经过?)?(?:加班)?(?:审批|批准)|没有?申请|不算加班")),
    ("voluntary", re.compile(r"自愿加班|自己愿意|主动加班|效率低")),
    ("included", re.compile(r"(?:包含|含|包括)(?:在)?.{0,6}(?:加班费|工资里|工资中|月薪里)|包干|打包")),
    ("agreed_base", re.compile(r"(?:按|以).{0,10}基本工资.{0,12}(?:基数|加班)|基本工资.{0,8}(?:为|作)基数")),
    ("flexible_hours", re.compile(r"不定时|弹性工作制")),
    ("too_late", re.compile(r"(?:过|超过)(?:了)?(?:仲裁)?时效")),
    ("electronic", re.compile(r"(?:截图|电子证据|微信).{0,8}(?:不算|不认|造假|伪造|不真实|可以改)")),
)  # fmt: skip


def read_words(clause: Clause, today: date) -> Iterator[tuple[str, Any, int, int]]:
    """(`evidence` or `no_evidence`, kind), (`claim`, key), (`employed`, bool), (`defence`, key) with their places."""
    text = clause.text
    without = _WITHOUT_CONTRACT.search(text)
    for kind in evidence_kinds().values():
        for word in kind.words:
            at = text.find(word)
            if at < 0:
                continue
            missing = _NOT.search(text[:at]) or (kind.key == "contract" and without)
            yield ("no_evidence" if missing else "evidence"), kind.key, at, at + len(word)
            break
    for key, rule in _CLAIMS:
        # `周末双倍工资` is overtime pay.
        if key == "double_wage" and re.search(r"加班|周末|休息日", text):
            continue
        if found := rule.search(text):
            yield "claim", key, found.start(), found.end()
    for key, rule in _DEFENCES:
        if found := rule.search(text):
            yield "defence", key, found.start(), found.end()
    if found := _EMPLOYED.search(text):
        yield "employed", True, found.start(), found.end()
    elif (found := _ENDED.search(text)) and not _SUPPOSED.search(text[: found.start()]):
        yield "employed", False, found.start(), found.end()
