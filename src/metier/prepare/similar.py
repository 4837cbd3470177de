"""Near-equal texts. Two searches with one measure: the share of equal characters in order (rapidfuzz's `ratio`,
2 × longest common subsequence / both lengths).

`exhaustive` compares every pair whose lengths allow the threshold, in C++ with early exit (about 0.3 µs a pair of short
questions): nothing is missed. It is used up to `EXHAUSTIVE_PAIRS`: 8,658 questions are 15 million pairs, 5 seconds.
Beyond that its cost, which grows with the square of the rows, is too high, and `minhash` proposes the pairs to
compare: rows that agree in three values of at least one of 40 bands of MinHash over character trigrams. A pair that
shares half of its trigrams is found with probability .995, one that shares .6 with .9999; which search was used is
stated in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from rapidfuzz import fuzz, process

Method = Literal["exhaustive", "minhash"]
EXHAUSTIVE_PAIRS = 100_000_000
_BLOCK = 512
_BANDS, _BAND_ROWS = 40, 3
_CROWD = 400  # a bucket with more rows than that compares each only with its neighbours in it
_PRIME = np.uint64((1 << 61) - 1)
Advance = Callable[[float], None]


class Near(NamedTuple):
    """`left` and `right`: places in the two lists; score: 0–1."""

    left: int
    right: int
    score: float


def near_pairs(
    lefts: Sequence[str], rights: Sequence[str] | None, threshold: float, advance: Advance = lambda units: None
) -> tuple[list[Near], Method]:
    """All pairs at `threshold` or above, and how they were searched for. Empty texts are left out.

    rights: None compares `lefts` with itself (left < right). advance: told how many rows of `lefts` were looked at.
    """
    ours = _ordered(lefts)
    theirs = ours if rights is None else _ordered(rights)
    method: Method = "exhaustive" if _count_pairs(ours, theirs, threshold) <= EXHAUSTIVE_PAIRS else "minhash"
    search = _exhaustive if method == "exhaustive" else _minhash
    found = []
    for left, right, score in search(lefts, ours, rights or lefts, theirs, threshold, advance):
        if rights is not None:
            found.append(Near(left, right, score))
        elif left != right:
            found.append(Near(min(left, right), max(left, right), score))
    return sorted(set(found)), method


def _ordered(texts: Sequence[str]) -> np.ndarray[Any, Any]:
    """Places of the texts that are not empty, shortest first, as (place, length) rows."""
    places = [(index, len(text)) for index, text in enumerate(texts) if text]
    places.sort(key=lambda pair: pair[1])
    return np.array(places, dtype=np.int64).reshape(-1, 2)


def _window(lengths: np.ndarray[Any, Any], shortest: int, longest: int, threshold: float) -> tuple[int, int]:
    """Where in sorted `lengths` a partner can be: of lengths n ≤ m the ratio is at most 2n / (n + m)."""
    reach = threshold / (2 - threshold)
    low = int(np.searchsorted(lengths, int(np.floor(shortest * reach)), "left"))
    return low, int(np.searchsorted(lengths, int(np.ceil(longest / reach)), "right"))


def _count_pairs(ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any], threshold: float) -> int:
    total = 0
    for start in range(0, len(ours), _BLOCK):
        block = ours[start : start + _BLOCK, 1]
        low, high = _window(theirs[:, 1], block[0], block[-1], threshold)
        total += len(block) * (high - low)
    return total // 2 if theirs is ours else total


def _exhaustive(
    lefts: Sequence[str],
    ours: np.ndarray[Any, Any],
    rights: Sequence[str],
    theirs: np.ndarray[Any, Any],
    threshold: float,
    advance: Advance,
) -> Iterator[Near]:
    same = theirs is ours
    for start in range(0, len(ours), _BLOCK):
        block = ours[start : start + _BLOCK]
        low, high = _window(theirs[:, 1], block[0, 1], block[-1, 1], threshold)
        low = max(low, start) if same else low  # the half below was compared from the other side
        scores = process.cdist(
            [lefts[place] for place in block[:, 0]],
            [rights[place] for place in theirs[low:high, 0]],
            scorer=fuzz.ratio,
            score_cutoff=100 * threshold,
            dtype=np.float32,
            workers=-1,
        )
        for row, column in np.argwhere(scores):
            yield Near(int(block[row, 0]), int(theirs[low + column, 0]), round(float(scores[row, column]) / 100, 4))
        advance(len(block))


def _minhash(
    lefts: Sequence[str],
    ours: np.ndarray[Any, Any],
    rights: Sequence[str],
    theirs: np.ndarray[Any, Any],
    threshold: float,
    advance: Advance,
) -> Iterator[Near]:
    own = _signatures([lefts[place] for place in ours[:, 0]])
    other = own if theirs is ours else _signatures([rights[place] for place in theirs[:, 0]])
    tried: set[tuple[int, int]] = set()
    for band in range(_BANDS):
        columns = slice(band * _BAND_ROWS, (band + 1) * _BAND_ROWS)
        buckets: dict[bytes, list[int]] = {}
        for index, key in enumerate(other[:, columns]):
            buckets.setdefault(key.tobytes(), []).append(index)
        for index, key in enumerate(own[:, columns]):
            partners = buckets.get(key.tobytes(), [])
            for partner in partners if len(partners) <= _CROWD else _neighbours(partners, index):
                pair = (int(ours[index, 0]), int(theirs[partner, 0]))
                if pair in tried or (theirs is ours and partner <= index):
                    continue
                tried.add(pair)
                score = fuzz.ratio(lefts[pair[0]], rights[pair[1]], score_cutoff=100 * threshold)
                if score:
                    yield Near(*pair, round(score / 100, 4))
        advance(len(ours) / _BANDS)


def _neighbours(partners: list[int], index: int) -> list[int]:
    """The rows of a crowded bucket that are nearest in length (rows are in order of length)."""
    place = int(np.searchsorted(partners, index))
    return partners[max(0, place - _CROWD // 2) : place + _CROWD // 2]


def _signatures(texts: list[str]) -> np.ndarray[Any, Any]:
    """MinHash values, one row a text: the smallest of each of 120 hashes over the text's character trigrams."""
    chance = np.random.default_rng(20261124)
    factors = chance.integers(1, 1 << 31, _BANDS * _BAND_ROWS, dtype=np.uint64) | np.uint64(1)
    shifts = chance.integers(0, 1 << 61, _BANDS * _BAND_ROWS, dtype=np.uint64)
    table = np.empty((len(texts), _BANDS * _BAND_ROWS), dtype=np.uint32)
    for row, text in enumerate(texts):
        codes = np.frombuffer(f"\0{text}\0".encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
        trigrams = np.unique((codes[:-2] * np.uint64(0x110000) + codes[1:-1]) * np.uint64(0x1FFFF7) + codes[2:])
        mixed = (trigrams ^ (trigrams >> np.uint64(29))) % _PRIME
        # Multiplication wraps at 2^64 on purpose: the upper half of a multiply-shift hash is what is compared.
        hashed = (mixed[:, None] * factors[None, :] + shifts[None, :]) * np.uint64(0x9E3779B97F4A7C15)
        table[row] = (hashed >> np.uint64(32)).min(axis=0)
    return table
