"""What is computed is computed here, exactly, and never by a model. Shares and growth are given in percent."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext

from metier.core.errors import DataError
from metier.specialists.finance.amounts import SCALES, shown

MOST_CHARACTERS = 500
_HUNDRED = Decimal(100)
_DIGITS = 28


def growth(new: Decimal, old: Decimal) -> Decimal | None:
    """Growth in percent, over the size of the old value; None from nothing."""
    return (new - old) / abs(old) * _HUNDRED if old else None


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """The part in percent of the whole; None of nothing."""
    return part / whole * _HUNDRED if whole else None


def average(values: Sequence[Decimal]) -> Decimal | None:
    """The arithmetic mean; None of nothing."""
    return sum(values, Decimal(0)) / len(values) if values else None


def yearly_growth(new: Decimal, old: Decimal, years: int) -> Decimal | None:
    """Compound growth a year, in percent; None where it is not defined."""
    if years <= 0 or old <= 0 or new <= 0:
        return None
    with localcontext(prec=_DIGITS):
        return ((new / old) ** (Decimal(1) / years) - 1) * _HUNDRED


def growth_working(new: Decimal, old: Decimal) -> str:
    """How growth is worked out, for people."""
    return f"({shown(new)} - {shown(old)}) / {shown(abs(old))}"


@dataclass(frozen=True, slots=True)
class Operand:
    """A number of a working, with its sign. counts: it divides or multiplies as a count (`(a + b) / 2`) and is no
    figure of the report."""

    value: Decimal
    decimals: int
    percent: bool = False
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Worked:
    """A working that was done again. ratio: whether figures are divided by figures; divides: whether it divides at all,
    so that a small figure may have been taken for a count."""

    value: Decimal
    operands: tuple[Operand, ...]
    ratio: bool
    divides: bool = False


def work_out(text: str) -> Worked:
    """Does a working such as `(44.1 - 56.7) / 56.7` or `$1,202.9 + 44.1` again.

    Only numbers, brackets and + - * / are read; percent signs stand for percent, currencies and words of scale are
    left out. Raises DataError for anything else, and where it divides by zero.
    """
    try:
        tree = ast.parse(_plain(text), mode="eval").body
        with localcontext(prec=_DIGITS):
            value, ratio, _ = _value(tree)
    except (SyntaxError, ValueError, DivisionByZero, InvalidOperation, Overflow, RecursionError, MemoryError) as error:
        raise DataError("specialists.finance_working", working=text[:120]) from error
    return Worked(value, tuple(_operands(tree, 1)), ratio, "/" in text)


_SCALED = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*(thousand|million|billion|trillion|百万|万|亿)s?", re.IGNORECASE)
_WORDS = re.compile(
    r"us\$|hk\$|rmb|[$€£¥￥]|\b(?:thousand|million|billion|trillion|bn|mn|m)s?\b|percent|万元|亿元|百万元|千元|万|亿|元",
    re.IGNORECASE,
)


def _in_one_scale(text: str) -> str:
    """`60.3 million + 32,137 thousand` in the smaller of its scales; as it is where it has only one."""
    found = {SCALES[match[2].lower()] for match in _SCALED.finditer(text)}
    if len(found) < 2:
        return text

    def moved(match: re.Match[str]) -> str:
        value = Decimal(match[1].replace(",", "")) * SCALES[match[2].lower()] / min(found)
        return f"{value:f}"

    return _SCALED.sub(moved, text)


def _plain(text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        raise ValueError(text[:40])
    text = _WORDS.sub("", _in_one_scale(text)).translate(str.maketrans("×÷−–—（）［］[]％", "*/---()()()%"))
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"\((\d[\d.]*)\)", r"(-\1)", text)  # as accounts write what is below nothing
    text = text.rpartition("=")[0] if re.search(r"=\s*-?[\d.]+\s*%?\s*$", text) else text
    text = re.sub(r"(?<![\d.])0+(?=\d)", "", text)
    return re.sub(r"(\d[\d.]*)\s*%", r"P(\1)", text).strip()


def _value(node: ast.expr) -> tuple[Decimal, bool, bool]:
    """Value, whether it is a ratio of figures, whether it is a bare count."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return Decimal(ast.unparse(node)), False, _is_count(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "P" and len(node.args) == 1:
        return _value(node.args[0])[0] / _HUNDRED, False, False
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value, ratio, count = _value(node.operand)
        return (-value if isinstance(node.op, ast.USub) else value), ratio, count
    if isinstance(node, ast.BinOp):
        left, left_ratio, left_count = _value(node.left)
        right, right_ratio, right_count = _value(node.right)
        if isinstance(node.op, ast.Add):
            return left + right, left_ratio or right_ratio, False
        if isinstance(node.op, ast.Sub):
            return left - right, left_ratio or right_ratio, False
        if isinstance(node.op, ast.Mult):
            counted = left_count or right_count or (left_ratio and right_ratio)
            return left * right, (left_ratio or right_ratio) and counted, False
        if isinstance(node.op, ast.Div):
            return left / right, left_ratio or not right_count, False
    raise ValueError(ast.dump(node)[:80])


def _is_count(node: ast.Constant) -> bool:
    return isinstance(node.value, int) and (0 < node.value <= 12 or node.value in (100, 365, 1000))


def _operands(node: ast.expr, sign: int, counting: bool = False) -> list[Operand]:
    if isinstance(node, ast.Constant):
        text = ast.unparse(node)
        counts = counting and _is_count(node)
        return [Operand(Decimal(text) * sign, len(text.partition(".")[2]), counts=counts)]
    if isinstance(node, ast.Call):
        return [replace(one, percent=True, counts=False) for one in _operands(node.args[0], sign)]
    if isinstance(node, ast.UnaryOp):
        return _operands(node.operand, -sign if isinstance(node.op, ast.USub) else sign, counting)
    if isinstance(node, ast.BinOp):
        products = isinstance(node.op, ast.Div | ast.Mult)
        return _operands(node.left, 1, isinstance(node.op, ast.Mult)) + _operands(node.right, 1, products)
    return []
