"""What a figure can rest on: the cells of tables and the sentences of texts, each with period, unit and place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from metier.specialists.finance.amounts import Amount, find_amounts, read_scale
from metier.specialists.finance.periods import Period, PeriodFound, find_periods
from metier.specialists.finance.sheets import Entry, Place, Sheet

_SENTENCE = re.compile(r"(?<=[。！？；;])|(?<=[.!?])\s+(?=[A-Z“\"(])|\n+")
_WORD = re.compile(r"[a-z]+|[\u4e00-\u9fff]")
_SAYS_NOTHING = (
    "the a an of in to and or for from by at on as is was were are be been with per what how much many did does do "
    "this that these those than between its it 的 了 在 和 与 及 或 为 是 有"
)
_CLAUSE = re.compile(r"[，；;]|,\s(?!(?:19|20)\d\d)|\b(?:compared|versus|while|from)\b|较|而|上年", re.IGNORECASE)
_VOTES = 2
_EMPTY = frozenset(_SAYS_NOTHING.split())


@dataclass(frozen=True, slots=True)
class Text:
    """A text that figures are checked against. page: where it stands; start: its first character in the document."""

    text: str
    page: int = 1
    start: int = 0


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure that stands somewhere. periods: that it may be of, empty where nothing says so; words: what is said of
    it; entry: where it is a cell; near: all periods of its sentence."""

    amount: Amount
    periods: frozenset[Period]
    words: str
    place: Place
    entry: Entry | None = None
    near: frozenset[Period] = frozenset()

    @property
    def around(self) -> frozenset[Period]:
        """The periods that it may be of, those of its whole sentence too."""
        return self.periods | self.near

    @property
    def full(self) -> Decimal:
        return self.amount.full


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with the amounts and periods in it."""

    text: str
    amounts: tuple[Amount, ...]
    periods: tuple[PeriodFound, ...]
    page: int
    start: int

    def place_of(self, amount: Amount) -> Place:
        """Where an amount stands in the document."""
        return Place(self.page, start=self.start + amount.start, end=self.start + amount.end)

    def periods_of(self, amount: Amount) -> frozenset[Period]:
        """The periods an amount may be of: in a list, that of the same rank; the only one in its clause; else all that
        the sentence names."""
        alike = [one for one in self.amounts if (one.unit, one.currency) == (amount.unit, amount.currency)]
        if len(self.periods) > 1 and len(alike) % len(self.periods) == 0:
            return frozenset({self.periods[alike.index(amount) % len(self.periods)].period})
        start, end = clause_of(self.text, amount)
        inside = {one.period for one in self.periods if start <= one.start < end}
        return frozenset(inside if len(inside) == 1 else (one.period for one in self.periods))


def clause_of(text: str, amount: Amount) -> tuple[int, int]:
    """The part of a sentence between marks, or words that set against, in which an amount stands."""
    start = max((match.end() for match in _CLAUSE.finditer(text[: amount.start])), default=0)
    end = next((match.start() + amount.end for match in _CLAUSE.finditer(text[amount.end :])), len(text))
    return start, end


class Evidence:
    """Tables and texts to check figures against."""

    def __init__(self, sheets: Sequence[Sheet], texts: Sequence[Text | str] = ()) -> None:
        self.sheets = list(sheets)
        self.texts = [Text(one) if isinstance(one, str) else one for one in texts]

    @cached_property
    def inferred(self) -> frozenset[int]:
        """Scales that texts show tables without one to be counted in: `$24.2 million` beside a cell of 24,193."""
        votes: Counter[int] = Counter()
        bare = {abs(entry.amount.value) for sheet in self.sheets if sheet.scale is None for entry in sheet.entries}
        for sentence in self.sentences:
            for amount in sentence.amounts:
                if amount.scale and amount.unit == "number" and amount.value:
                    step = Decimal(amount.scale).scaleb(-amount.decimals) * Decimal("0.51")
                    for scale in (10**3, 10**4, 10**6, 10**8, 10**9):
                        votes[scale] += any(value and abs(value * scale - abs(amount.full)) <= step for value in bare)
        return frozenset(scale for scale, count in votes.items() if count >= _VOTES and count == max(votes.values()))

    @cached_property
    def sentences(self) -> list[Sentence]:
        """The sentences of the texts in which an amount stands."""
        return [sentence for text in self.texts for sentence in sentences_of(text)]

    @cached_property
    def cells(self) -> list[Fact]:
        """The figures of all tables."""
        return [
            Fact(
                entry.amount,
                frozenset({entry.period} if entry.period else ()),
                f"{entry.label} {entry.column} {sheet.title}",
                entry.place,
                entry,
            )
            for sheet in self.sheets
            for entry in sheet.entries
        ]

    @cached_property
    def said(self) -> list[Fact]:
        """The figures of all sentences. One without a scale of its own has that of the text, where it says one."""
        return [
            Fact(
                amount,
                sentence.periods_of(amount),
                sentence.text,
                sentence.place_of(amount),
                near=frozenset(one.period for one in sentence.periods),
            )
            for sentence in self.sentences
            for amount in sentence.amounts
        ]

    @cached_property
    def scales(self) -> frozenset[int]:
        """What the tables and texts count in."""
        told = {sheet.scale for sheet in self.sheets} | {read_scale(text.text) for text in self.texts}
        return frozenset(scale for scale in told if scale) | self.inferred

    @cached_property
    def doubtful(self) -> frozenset[int]:
        """Scales that a table may be counted in as well, since what stands above or near it names several."""
        return frozenset(scale for sheet in self.sheets if len(sheet.scales) > 1 for scale in sheet.scales)


def sentences_of(text: Text) -> Iterator[Sentence]:
    """The sentences of a text in which an amount stands."""
    at = 0
    for piece in split_sentences(text.text):
        at = text.text.index(piece, at)
        if amounts := find_amounts(piece):
            yield Sentence(piece, tuple(amounts), tuple(find_periods(piece)), text.page, text.start + at)
        at += len(piece)


def split_sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [piece for piece in _SENTENCE.split(text) if piece and piece.strip()]


def words_of(text: str) -> frozenset[str]:
    """The words that tell one row from another, singular and small; of Chinese its characters."""
    found = (word for word in _WORD.findall(text.lower()) if word not in _EMPTY)
    return frozenset(
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in found
    )


def likeness(label: str, statement: frozenset[str]) -> float:
    """How much of a row's label a statement says, 0 to 1."""
    wanted = words_of(label.rpartition(" / ")[2] or label)
    return len(wanted & statement) / len(wanted) if wanted else 0.0
