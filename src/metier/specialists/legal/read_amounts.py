"""Amounts of money and what they are: the wage of the contract, the base that was used, what was paid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from metier.specialists.legal.clauses import Clause
from metier.specialists.legal.numerals import NUMBER, to_number

_AMOUNT = re.compile(rf"(?:人民币|￥|¥|RMB)?\s*({NUMBER})\s*(元|块钱|块|人民币)?")
# The first rule that fits decides; `{}` stands for the amount.
_ROLES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("minimum_wage", re.compile(r"最低工资[^{]{0,8}\{\}")),
    ("paid_base", re.compile(r"\{\}.{0,8}(?:基数|算加班)|基数[^{]{0,10}\{\}")),
    ("paid", re.compile(r"加班(?:费|工资)[^{]{0,12}(?:给|发|付|拿|领|收)[^{]{0,8}\{\}")),
    ("paid", re.compile(r"(?:给|发|付|拿|领|收)[^{]{0,6}\{\}[^{]{0,4}加班(?:费|工资)")),
    ("basic_wage", re.compile(r"(?:基本工资|底薪)[^{]{0,6}\{\}")),
    ("take_home", re.compile(r"(?:实发|到手|实际发|实际拿|打卡里)[^{]{0,8}\{\}")),
    ("contract_wage", re.compile(r"(?:合同|约定|月薪|月工资|每月工资|工资标准|底薪加|工资)[^{]{0,10}\{\}")),
    ("contract_wage", re.compile(r"\{\}[^{]{0,3}(?:一个月|/月|每月|的工资|的月薪)")),
)


def read_amounts(clause: Clause, today: date) -> Iterator[tuple[str, Decimal, int, int]]:
    """(role, yuan, start, end) of each amount whose role the clause says."""
    for found in _AMOUNT.finditer(clause.text):
        value = to_number(found[1])
        # Without a unit only what looks like pay: hours, days and years carry their own words.
        if value is None or (not found[2] and (value < 500 or _other_unit(clause.text[found.end(1) :]))):
            continue
        pattern = f"{clause.text[: found.start()]}{{}}{clause.text[found.end() :]}"
        role = next((name for name, rule in _ROLES if rule.search(pattern)), "amount")
        yield role, value, found.start(), found.end()


def _other_unit(rest: str) -> bool:
    return bool(re.match(r"\s*(?:年|月|日|号|个|小时|天|次|人|条|%|％|岁|周|分)", rest))
