"""What a metric is: how one row is measured, how rows become one score, and what the score says about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from metier.core.i18n import LANGUAGES, translate

Kind = Literal["choice", "number", "exact", "contains", "open"]
Level = Literal["sentence-mean", "corpus"]
Array = NDArray[np.float64]
ALL_KINDS: frozenset[Kind] = frozenset(("choice", "number", "exact", "contains", "open"))


@dataclass(frozen=True, slots=True)
class Pair:
    """What a metric sees of one row.

    answer: the text to score (raw, or without its thinking, as the metric asks); label: the reference text;
    kind: of the row; gold: the short right answer (letters for a choice, else a word or number), if the row names one;
    options: the choices offered, letter and text; language: of the whole file; meta: what the data says of the row
    (`unit`, `tolerance`, `question_type`, `knowledge_domain`).
    """

    answer: str
    label: str
    kind: Kind = "open"
    gold: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    language: str = "en"
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def wanted(self) -> str:
        """The right answer: the short one, or the whole label where there is none."""
        return self.gold if self.gold is not None else self.label


@dataclass(frozen=True, slots=True)
class Measure:
    """One row's result.

    value: the row's own score on the metric's scale, None where the row cannot be judged; statistics: what is summed
    over rows before `Metric.combine` (for means: the value alone); extracted: what was read from the answer.
    """

    value: float | None
    statistics: tuple[float, ...] = ()
    extracted: str | None = None
    unreadable: bool = False


def right_or_wrong(right: bool, extracted: str | None = None, *, unreadable: bool = False) -> Measure:
    """A whole point or none, of which the mean is a share."""
    value = 1.0 if right else 0.0
    return Measure(value, (value,), extracted, unreadable)


def mean(sums_BS: Array, counts_B: Array) -> Array:
    """Combines [B, 1] sums of row values over `counts_B` rows into their mean."""
    return sums_BS[:, 0] / np.maximum(counts_B, 1.0)


@dataclass(frozen=True)
class Metric:
    """A named, versioned score.

    maximum: end of the scale that starts at 0; reads: `raw` text or the `answer` without thinking; kinds: rows that it
    fits; proportion: rows are right or wrong; sees: share of a text's letters that the tokenizer keeps and keeps apart
    (below one half the metric is blind to the text); default: chosen by `auto`, needs: where such rows are there;
    measure_all: where a row's statistics depend on which rows there are.
    """

    name: str
    version: str
    level: Level
    maximum: float
    tokenizer: str
    smoothing: str
    reads: Literal["raw", "answer"]
    kinds: frozenset[Kind]
    measure: Callable[[Pair], Measure]
    combine: Callable[[Array, Array], Array] = mean
    proportion: bool = False
    sees: Callable[[str], float] | None = None
    default: bool = True
    needs: Literal["", "picture", "finmme"] = ""
    measure_all: Callable[[Sequence[Pair]], list[Measure]] | None = None

    def measures(self, pairs: Sequence[Pair]) -> list[Measure]:
        """Each row's result."""
        return self.measure_all(pairs) if self.measure_all else [self.measure(pair) for pair in pairs]

    @property
    def scale(self) -> str:
        """`0-1` or `0-100`."""
        return f"0-{self.maximum:g}"

    def definition(self) -> dict[str, str]:
        """What it measures, in both languages."""
        return {language: translate(f"evaluate.metric.{self.name}", language=language) for language in LANGUAGES}

    def describe(self) -> dict[str, Any]:
        """Everything a reader must know to repeat the score."""
        return {
            "scale": self.scale,
            "level": self.level,
            "tokenizer": self.tokenizer,
            "smoothing": self.smoothing,
            "version": self.version,
            "proportion": self.proportion,
            "definition": self.definition(),
        }
