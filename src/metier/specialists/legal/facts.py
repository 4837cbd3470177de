"""What the user said, as facts with the very words they come from. Nothing is guessed: what is not said is missing.

Rules read the Chinese of a conversation: amounts, hours, days, evidence named, claims and what the employer says. A
later message overrules an earlier one on the same fact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from metier.specialists.legal.clauses import Clause, clauses_of
from metier.specialists.legal.read_amounts import read_amounts
from metier.specialists.legal.read_dates import read_dates
from metier.specialists.legal.read_hours import period_months, read_hours, total_hours
from metier.specialists.legal.read_words import read_words


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing the user said. message, start, end: where its words stand; value: a number, a day, or a key."""

    name: str
    value: Any
    words: str
    message: int
    start: int
    end: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All of them, in the order said."""

    found: tuple[Fact, ...] = ()

    def last(self, name: str) -> Fact | None:
        """The latest fact of that name."""
        return next((fact for fact in reversed(self.found) if fact.name == name), None)

    def amount(self, name: str) -> Decimal | None:
        """The latest figure of that name."""
        fact = self.last(name)
        return fact.value if fact and isinstance(fact.value, Decimal) else None

    def day(self, name: str) -> date | None:
        """The latest day of that name."""
        fact = self.last(name)
        return fact.value if fact and isinstance(fact.value, date) else None

    def keys(self, name: str) -> tuple[str, ...]:
        """The values of all facts of that name, each once."""
        return tuple(dict.fromkeys(str(fact.value) for fact in self.found if fact.name == name))

    @property
    def tell_a_case(self) -> bool:
        """Whether something of a case was told, not only what it is about: `加班费怎么交税` is a general question."""
        return any(fact.name not in ("claim", "no_evidence") for fact in self.found)

    @property
    def employed(self) -> bool | None:
        """Whether the employment goes on; None where it was not said."""
        fact = self.last("employed")
        if fact is None:
            return False if self.last("ended") else None
        return bool(fact.value)


Reader = Callable[[Clause, date], Iterator[tuple[str, Any, int, int]]]
_READERS: tuple[Reader, ...] = (read_amounts, read_dates, read_hours, read_words)


def read_facts(said: Sequence[str], today: date) -> Facts:
    """The facts in what the user said, message by message. today: what `去年` is counted from."""
    found: list[Fact] = []
    for number, message in enumerate(said):
        for clause in clauses_of(message):
            for reader in _READERS:
                for name, value, start, end in reader(clause, today):
                    place = clause.start + start, clause.start + end
                    found.append(Fact(name, value, message[place[0] : place[1]], number, *place))
    return Facts((*found, *_totals(found)))


def _totals(found: Sequence[Fact]) -> Iterator[Fact]:
    """Hours in the whole period, where a rate and the period were both said."""
    months = period_months([(fact.name, fact.value) for fact in found])
    for fact in found:
        if fact.name.endswith("_rate"):
            total = total_hours(fact.value, months)
            if total is not None:
                hours, note = total
                yield Fact(fact.name.removesuffix("_rate"), hours, fact.words, fact.message, fact.start, fact.end, note)
