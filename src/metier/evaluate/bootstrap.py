"""Intervals: what the score could have been with other rows of the same kind.

Rows are drawn with replacement (percentile bootstrap, B. Efron, 1979); sums of the rows' statistics are formed for all
samples at once, so that corpus scores are recomputed from counts, never from averages. Where resampling would say
nothing, a formula takes its place and is named: shares of right answers that are few or all the same (Wilson, 1927; for
differences R. Newcombe, 1998, method 10), and fewer rows than any interval can be made of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from metier.evaluate.metrics.definition import Array

Combine = Callable[[Array, Array], Array]
_CELLS = 1 << 22  # numbers in memory at once: 32 MB
_KEPT = 1 << 27  # one byte each: 128 MB
FEW = 30
TOO_FEW = 6  # below this no two-sided 95 % test of paired rows can decide anything


class Scale(Protocol):
    """What an interval must know of a score: how rows are combined, where its scale ends (it starts at 0), and whether
    each row is right or wrong."""

    @property
    def combine(self) -> Combine: ...

    @property
    def maximum(self) -> float: ...

    @property
    def proportion(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Interval:
    """A score with its interval. method: `bootstrap`, `wilson`, `newcombe`, or `none` (few rows: the whole scale)."""

    score: float
    low: float
    high: float
    method: str

    def as_dict(self) -> dict[str, Any]:
        return {"score": self.score, "low": self.low, "high": self.high, "method": self.method}


@dataclass(frozen=True, slots=True)
class Settings:
    samples: int = 2000
    confidence: float = 0.95
    seed: int = 42

    @property
    def tails(self) -> tuple[float, float]:
        return (1 - self.confidence) / 2, (1 + self.confidence) / 2

    @property
    def z(self) -> float:
        return NormalDist().inv_cdf(self.tails[1])


def interval(statistics_NS: Array, metric: Scale, settings: Settings) -> Interval:
    """The score of N rows with [N, S] statistics, and its interval."""
    rows = len(statistics_NS)
    score = _score(statistics_NS, metric.combine)
    share = score / metric.maximum
    if metric.proportion and (rows < FEW or share in (0.0, 1.0)):
        low, high = wilson(share, rows, settings.z)
        return Interval(score, low * metric.maximum, high * metric.maximum, "wilson")
    if rows < 2:
        return Interval(score, 0.0, metric.maximum, "none")
    return contrast([(1.0, statistics_NS)], metric.combine, settings)


def paired_interval(base_NS: Array, tuned_NS: Array, metric: Scale, settings: Settings) -> Interval:
    """Tuned minus base over the same N rows: each sample draws the same rows for both."""
    rows = len(base_NS)
    difference = _score(tuned_NS, metric.combine) - _score(base_NS, metric.combine)
    if rows < TOO_FEW:
        return Interval(difference, -metric.maximum, metric.maximum, "none")
    same = bool(np.all(base_NS == tuned_NS))
    if metric.proportion and not same:
        change = tuned_NS[:, 0] - base_NS[:, 0]
        if rows < FEW or np.all(change == change[0]):
            low, high = newcombe(base_NS[:, 0] / metric.maximum, tuned_NS[:, 0] / metric.maximum, settings.z)
            return Interval(difference, low * metric.maximum, high * metric.maximum, "newcombe")
    return contrast([(1.0, tuned_NS), (-1.0, base_NS)], metric.combine, settings)


def contrast(groups: Sequence[tuple[float, Array]], combine: Combine, settings: Settings) -> Interval:
    """The sum of several scores over the same rows, each times its sign: each sample draws the same rows for all."""
    signs = [sign for sign, _ in groups]
    score = sum(sign * _score(statistics_NS, combine) for sign, statistics_NS in groups)
    draws = np.concatenate(
        [
            sum(sign * _combined(sums, len(groups[0][1]), combine) for sign, sums in zip(signs, block, strict=True))
            for block in _resampled([statistics_NS for _, statistics_NS in groups], settings)
        ]
    )
    low, high = np.quantile(draws, settings.tails)
    return Interval(score, min(float(low), score), max(float(high), score), "bootstrap")


def _combined(sums_BS: Array, rows: int, combine: Combine) -> Array:
    return combine(sums_BS, np.full(len(sums_BS), float(rows)))


def _score(statistics_NS: Array, combine: Combine) -> float:
    # The mean first: numpy's pairwise sum of the rows is what LLaMA-Factory's `np.mean` gives, to the last bit.
    sums = np.array([[column.sum() for column in statistics_NS.T]])
    return float(combine(sums, np.array([float(len(statistics_NS))]))[0])


def _resampled(groups: list[Array], settings: Settings) -> Iterator[list[Array]]:
    """For blocks of samples, the [B, S] sums of each group over the same drawn rows."""
    rows = len(groups[0])
    for counts_BN in _draws(rows, settings.samples, settings.seed):
        weights_BN = counts_BN.astype(np.float64)
        yield [weights_BN @ group for group in groups]


@lru_cache(maxsize=2)
def _kept_draws(rows: int, samples: int, seed: int) -> tuple[NDArray[np.uint8], ...]:
    return tuple(_drawn(rows, samples, seed))


def _draws(rows: int, samples: int, seed: int) -> Iterable[NDArray[np.uint8]]:
    """How often each row is in each sample, in blocks. Scores of the same rows share their draws: they are kept."""
    return _kept_draws(rows, samples, seed) if rows * samples <= _KEPT else _drawn(rows, samples, seed)


def _drawn(rows: int, samples: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    generator = np.random.default_rng(seed)
    block = max(1, min(samples, _CELLS // rows))
    for start in range(0, samples, block):
        size = min(block, samples - start)
        drawn = generator.integers(0, rows, size=(size, rows)) + np.arange(size)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=size * rows).astype(np.uint8).reshape(size, rows)


def wilson(share: float, rows: int, z: float) -> tuple[float, float]:
    """Wilson's score interval for a share of right answers."""
    centre = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows)) / (1 + z * z / rows)
    return max(0.0, centre - half), min(1.0, centre + half)


def newcombe(base_N: Array, tuned_N: Array, z: float) -> tuple[float, float]:
    """Newcombe's score interval (method 10) for the difference of two shares over the same rows, 0/1 each."""
    rows = len(base_N)
    first, second = float(tuned_N.mean()), float(base_N.mean())
    both, neither = float((tuned_N * base_N).sum()), float(((1 - tuned_N) * (1 - base_N)).sum())
    gained, lost = float((tuned_N * (1 - base_N)).sum()), float(((1 - tuned_N) * base_N).sum())
    product = (both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    correlation = 0.0
    if product > 0:
        covariance = both * neither - gained * lost
        # Continuity correction, for positive association only.
        if covariance > 0:
            covariance = max(covariance - rows / 2, 0.0)
        correlation = covariance / math.sqrt(product)
    low_first, high_first = wilson(first, rows, z)
    low_second, high_second = wilson(second, rows, z)
    down, up = first - low_first, high_first - first
    down_second, up_second = second - low_second, high_second - second
    low = math.sqrt(max(0.0, down**2 - 2 * correlation * down * up_second + up_second**2))
    high = math.sqrt(max(0.0, up**2 - 2 * correlation * up * down_second + down_second**2))
    return first - second - low, first - second + high
