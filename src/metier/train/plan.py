"""Which rows each step learns from, and how they are laid out: a pure function of seed, epoch and lengths.

A step always learns from the same rows, whatever the number of processes and whether rows are packed or not. Packing
only decides how a step's rows are computed together, so it changes the speed and not the result.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

Bin = list[int]


@dataclass(frozen=True, slots=True)
class RowOrder:
    """The rows of each step. rows: how many there are; shuffle: a new order in each epoch."""

    rows: int
    rows_per_step: int
    seed: int
    shuffle: bool = True

    @property
    def steps_per_epoch(self) -> int:
        """Steps of one pass; the last one may have fewer rows."""
        return -(-self.rows // self.rows_per_step)

    def epoch(self, epoch: int) -> list[list[int]]:
        """Row indices of each step of `epoch` (0-based)."""
        order = list(range(self.rows))
        if self.shuffle:
            random.Random(f"{self.seed}:{epoch}").shuffle(order)
        size = self.rows_per_step
        return [order[start : start + size] for start in range(0, self.rows, size)]


def pack(lengths: Sequence[int], budget: int, *, multiple: int = 1) -> list[Bin]:
    """Groups items into as few bins of at most `budget` tokens as first-fit decreasing finds, then evens them out.

    lengths: tokens of each item (an item longer than `budget` gets a bin of its own); multiple: the number of bins is
    a multiple of this (empty bins are added where there are too few items), so that each process has equally many.
    Returns indices into `lengths`, in a fixed order.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    tight = _first_fit(order, lengths, budget)
    count = -(-max(1, len(tight)) // multiple) * multiple
    even = _least_loaded(order, lengths, count)
    heaviest = max(sum(lengths[index] for index in items) for items in even)
    allowed = max(budget, max(lengths, default=0))
    chosen = even if heaviest <= allowed else tight + [[] for _ in range(count - len(tight))]
    return [sorted(items) for items in chosen]


def pad(lengths: Sequence[int], rows: int, *, multiple: int = 1, kinds: Sequence[int] | None = None) -> list[Bin]:
    """Groups items in order of length into bins of at most `rows` items of one kind, for computing without packing."""
    kinds = [0] * len(lengths) if kinds is None else kinds
    bins: list[Bin] = []
    for kind in sorted(set(kinds)):
        same = [index for index in range(len(lengths)) if kinds[index] == kind]
        order = sorted(same, key=lambda index: (-lengths[index], index))
        bins += [order[start : start + rows] for start in range(0, len(order), rows)]
    return bins + [[] for _ in range(-len(bins) % multiple)]


def share(bins: Sequence[Bin], rank: int, processes: int) -> list[Bin]:
    """The bins that process `rank` of `processes` computes, one of each round."""
    return list(bins[rank::processes])


def _first_fit(order: Sequence[int], lengths: Sequence[int], budget: int) -> list[Bin]:
    bins: list[Bin] = []
    loads: list[int] = []
    for index in order:
        place = next((at for at, load in enumerate(loads) if load + lengths[index] <= budget), None)
        if place is None:
            bins.append([index])
            loads.append(lengths[index])
        else:
            bins[place].append(index)
            loads[place] += lengths[index]
    return bins


def _least_loaded(order: Sequence[int], lengths: Sequence[int], count: int) -> list[Bin]:
    bins: list[Bin] = [[] for _ in range(count)]
    loads = [0] * count
    for index in order:
        place = min(range(count), key=lambda at: (loads[at], at))
        bins[place].append(index)
        loads[place] += lengths[index]
    return bins
