"""Overtime pay: what the law's multiples of the right base give, what was paid, and the difference.

A month has 21.75 paid days and 174 paid hours. Each line is worked out exactly and rounded once, half up to the cent;
the sum is the sum of the lines as shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from metier.core.errors import ConfigError
from metier.specialists.legal.articles import Article

DAYS_A_MONTH = Decimal("21.75")
HOURS_A_MONTH = Decimal(174)
HOURS_A_DAY = Decimal(8)
CENT = Decimal("0.01")

Kind = Literal["weekday", "rest_day", "public_holiday"]
HoursSystem = Literal["standard", "comprehensive", "flexible"]
BaseName = Literal["contract_wage", "minimum_wage", "paid_base"]

KINDS: tuple[Kind, ...] = ("weekday", "rest_day", "public_holiday")
FACTORS: dict[Kind, Decimal] = {
    "weekday": Decimal("1.5"),
    "rest_day": Decimal(2),
    "public_holiday": Decimal(3),
}
LABOUR_LAW, WAGE_RULES, CONTRACT_LAW = "劳动法", "工资支付暂行规定", "劳动合同法"


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of overtime in the whole period; None where they are not known.

    rest_day_off: hours on rest days for which time off was given instead.
    """

    weekday: Decimal | None = None
    rest_day: Decimal | None = None
    public_holiday: Decimal | None = None
    rest_day_off: Decimal = Decimal(0)

    def of(self, kind: Kind) -> Decimal | None:
        """The hours that are to be paid."""
        hours: Decimal | None = getattr(self, kind)
        return hours - self.rest_day_off if kind == "rest_day" and hours is not None else hours


@dataclass(frozen=True, slots=True)
class Base:
    """The monthly wage that overtime is reckoned from. name: which of the candidates it is; candidates: all of them."""

    name: BaseName
    monthly: Decimal
    hourly: Decimal
    daily: Decimal
    candidates: tuple[tuple[BaseName, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """What one hour is worth. paid: on the base that the employer used; short: what is missing an hour."""

    kind: Kind
    factor: Decimal
    due: Decimal
    paid: Decimal | None
    short: Decimal | None


@dataclass(frozen=True, slots=True)
class Line:
    """Hours of one kind. formula: how `due` was worked out, in figures."""

    kind: Kind
    hours: Decimal
    factor: Decimal
    due: Decimal
    paid: Decimal | None
    formula: str


@dataclass(frozen=True, slots=True)
class OvertimePay:
    """What is due, what was paid, and what is still owed (never below zero).

    paid_from: `stated` (an amount the person named), `base` (worked out from the base the employer used), or None
    where nothing is known of it; missing: figures that are needed and not known; notes: keys of the catalogue.
    """

    base: Base
    hours_system: HoursSystem
    rates: tuple[Rate, ...]
    lines: tuple[Line, ...]
    due: Decimal | None
    paid: Decimal | None
    paid_from: Literal["stated", "base"] | None
    difference: Decimal | None
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    articles: tuple[Article, ...]


def overtime_pay(
    contract_wage: Decimal,
    hours: Hours,
    *,
    paid_base: Decimal | None = None,
    paid: Decimal | None = None,
    minimum_wage: Decimal | None = None,
    hours_system: HoursSystem = "standard",
) -> OvertimePay:
    """The difference between the overtime pay that the law asks for and what was paid.

    contract_wage: a month's wage as the contract says, in yuan; paid_base: the monthly base that the employer used;
    paid: overtime pay received for these hours, over an amount worked out from `paid_base`; minimum_wage: the local
    one a month. Raises ConfigError for more time off than rest-day hours, and for figures below zero.
    """
    _check(contract_wage, hours, paid_base, paid, minimum_wage)
    base = _choose_base(contract_wage, minimum_wage, paid_base)
    factors = {kind: _factor(kind, hours_system) for kind in KINDS}
    rates = tuple(_rate(kind, factors[kind], base.monthly, paid_base) for kind in KINDS)
    lines = tuple(
        _line(kind, worked, factors[kind], base.monthly, paid_base)
        for kind in KINDS
        if (worked := hours.of(kind)) is not None
    )
    due = sum((line.due for line in lines), Decimal(0)) if lines else None
    from_base = sum((line.paid or Decimal(0) for line in lines), Decimal(0)) if lines and paid_base else None
    received = paid if paid is not None else from_base
    difference = max(due - received, Decimal(0)) if due is not None and received is not None else None
    missing = tuple(f"{kind}_hours" for kind in KINDS if hours.of(kind) is None)
    if received is None and paid_base is None:
        missing += ("paid",)
    return OvertimePay(
        base=base,
        hours_system=hours_system,
        rates=rates,
        lines=lines,
        due=due,
        paid=received,
        paid_from="stated" if paid is not None else "base" if from_base is not None else None,
        difference=difference,
        missing=missing,
        notes=_notes(base, hours, hours_system, contract_wage),
        articles=_articles(hours_system),
    )


def cents(amount: Decimal) -> Decimal:
    """An amount to the cent, half up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def _check(contract_wage: Decimal, hours: Hours, *others: Decimal | None) -> None:
    if contract_wage <= 0:
        raise ConfigError("specialists.legal_no_wage", given=contract_wage)
    figures = [hours.weekday, hours.rest_day, hours.public_holiday, hours.rest_day_off, *others]
    for figure in figures:
        if figure is not None and figure < 0:
            raise ConfigError("specialists.legal_below_zero", given=figure)
    if hours.rest_day_off > (hours.rest_day or 0):
        raise ConfigError("specialists.legal_too_much_off", off=hours.rest_day_off, hours=hours.rest_day or 0)


def _choose_base(contract_wage: Decimal, minimum_wage: Decimal | None, paid_base: Decimal | None) -> Base:
    """The contract's wage, or the minimum wage where the contract's is below it."""
    candidates: list[tuple[BaseName, Decimal]] = [("contract_wage", contract_wage)]
    if minimum_wage is not None:
        candidates.append(("minimum_wage", minimum_wage))
    name, monthly = max(candidates, key=lambda one: one[1])
    if paid_base is not None:
        candidates.append(("paid_base", paid_base))
    return Base(name, monthly, cents(monthly / HOURS_A_MONTH), cents(monthly / DAYS_A_MONTH), tuple(candidates))


def _factor(kind: Kind, system: HoursSystem) -> Decimal:
    """Under reckoned-over working hours a rest day is no special day; under flexible hours nothing is overtime."""
    if system == "flexible":
        return Decimal(0)
    return FACTORS["weekday"] if system == "comprehensive" and kind == "rest_day" else FACTORS[kind]


def _pay(base: Decimal, factor: Decimal, hours: Decimal) -> Decimal:
    return cents(base * factor * hours / HOURS_A_MONTH)


def _rate(kind: Kind, factor: Decimal, base: Decimal, paid_base: Decimal | None) -> Rate:
    due = _pay(base, factor, Decimal(1))
    paid = _pay(paid_base, factor, Decimal(1)) if paid_base is not None else None
    # From the unrounded bases: the difference of two rounded rates may be a cent off.
    short = _pay(max(base - paid_base, Decimal(0)), factor, Decimal(1)) if paid_base is not None else None
    return Rate(kind, factor, due, paid, short)


def _line(kind: Kind, hours: Decimal, factor: Decimal, base: Decimal, paid_base: Decimal | None) -> Line:
    due = _pay(base, factor, hours)
    paid = _pay(paid_base, factor, hours) if paid_base is not None else None
    formula = f"{plain(base)} ÷ 174 × {plain(factor)} × {plain(hours)} = {due}"
    return Line(kind, hours, factor, due, paid, formula)


def plain(number: Decimal) -> str:
    """A number without an exponent and without zeros at its end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _notes(base: Base, hours: Hours, system: HoursSystem, contract_wage: Decimal) -> tuple[str, ...]:
    notes = ["legal_note_base_minimum" if base.name == "minimum_wage" else "legal_note_base_contract"]
    if hours.rest_day_off:
        notes.append("legal_note_time_off")
    if hours.public_holiday:
        notes.append("legal_note_public_holiday")
    if system != "standard":
        notes.append(f"legal_note_{system}")
    return tuple(notes)


def _articles(system: HoursSystem) -> tuple[Article, ...]:
    basis = [
        Article(LABOUR_LAW, "第四十四条"),
        Article(WAGE_RULES, "第十三条"),
        Article(CONTRACT_LAW, "第三十一条"),
    ]
    if system != "standard":
        basis.append(Article(LABOUR_LAW, "第三十九条"))
    return tuple(basis)
