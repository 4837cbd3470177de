"""Tensors of a step's rows: packed end to end, or padded on the right.

B batch, L tokens, P label positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader, Dataset

from metier.train.plan import Bin, RowOrder, pack, pad, share

if TYPE_CHECKING:
    from metier.rendering import Example

IGNORED = -100
_WORTH_SHARING = 4  # tokens


@dataclass(frozen=True)
class MicroBatch:
    """Rows that are computed together.

    input_ids, position_ids (B, L): tokens and their positions within their row; segment_bounds: where packed rows
    begin, and the end (None where rows are padded); label_positions (P): flat indices (row · L + column) of the tokens
    that predict a label, ascending; targets (P): those labels; tokens: of the rows, padding not counted; shared: tokens
    that every row begins with, of which only the first row holds a copy.
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    segment_bounds: tuple[int, ...] | None
    label_positions: torch.Tensor
    targets: torch.Tensor
    tokens: int
    shared: int = 0

    def to(self, device: torch.device) -> MicroBatch:
        """The same on `device`."""
        moved = [
            tensor.to(device, non_blocking=True)
            for tensor in (self.input_ids, self.position_ids, self.label_positions, self.targets)
        ]
        return MicroBatch(moved[0], moved[1], self.segment_bounds, moved[2], moved[3], self.tokens, self.shared)


@dataclass(frozen=True)
class Step:
    """What one process computes for one optimiser step.

    loss_tokens: labels in the whole step, over all processes: the loss is their mean; tokens: likewise all tokens.
    """

    micro_batches: list[MicroBatch]
    loss_tokens: int
    tokens: int


def loss_tokens(example: Example) -> int:
    """Labels that are predicted: the first token of a row has nothing before it."""
    return sum(label != IGNORED for label in example.labels[1:])


def packed_batch(examples: Sequence[Example], shared: int = 0) -> MicroBatch:
    """Lays rows end to end in one sequence; of the first `shared` tokens, equal in all rows, only one copy."""
    ids: list[int] = []
    positions: list[int] = []
    labels: list[int] = []
    bounds = [0]
    for example in examples:
        start = shared if ids else 0
        ids += example.input_ids[start:]
        positions += range(start, len(example.input_ids))
        labels += [*example.labels[start + 1 :], IGNORED]
        bounds.append(len(ids))
    where, targets = _label_positions(labels)
    tokens = sum(len(example.input_ids) for example in examples)
    shared = shared if len(examples) > 1 else 0
    return MicroBatch(torch.tensor([ids]), torch.tensor([positions]), tuple(bounds), where, targets, tokens, shared)


def shared_beginning(examples: Sequence[Example]) -> int:
    """Tokens that all rows begin with and that predict no label: a system prompt, most often.

    A causal model computes the same for them in every row, so once is enough; each row's rest attends to them.
    """
    if len(examples) < 2:
        return 0
    first = examples[0].input_ids
    limit = min(_unlabelled(example) for example in examples)
    for index in range(limit):
        if any(example.input_ids[index] != first[index] for example in examples):
            limit = index
            break
    return limit if limit >= _WORTH_SHARING else 0


def _unlabelled(example: Example) -> int:
    """Tokens at the beginning of a row that predict no label, one fewer than the row has at most."""
    first_label = next((at for at, label in enumerate(example.labels) if at and label != IGNORED), len(example.labels))
    return max(0, first_label - 1)


def padded_batch(examples: Sequence[Example], pad_id: int) -> MicroBatch:
    """One row per batch entry, padded on the right, where a causal model never looks."""
    longest = max(len(example.input_ids) for example in examples)
    ids: list[list[int]] = []
    labels: list[int] = []
    for example in examples:
        gap = longest - len(example.input_ids)
        ids.append([*example.input_ids, *[pad_id] * gap])
        labels += [*example.labels[1:], IGNORED, *[IGNORED] * gap]
    positions = torch.arange(longest).expand(len(examples), -1).contiguous()
    where, targets = _label_positions(labels)
    tokens = sum(len(example.input_ids) for example in examples)
    return MicroBatch(torch.tensor(ids), positions, None, where, targets, tokens)


def _label_positions(shifted: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    where = [index for index, label in enumerate(shifted) if label != IGNORED]
    return torch.tensor(where, dtype=torch.long), torch.tensor([shifted[index] for index in where], dtype=torch.long)


@dataclass(frozen=True)
class Layout:
    """How rows are put together.

    budget: tokens of a packed micro-batch; rows: rows of a padded one; share: compute a beginning that all rows of a
    step have in common once a micro-batch (the engine room can).
    """

    packing: bool
    budget: int
    rows: int
    pad_id: int
    rank: int = 0
    processes: int = 1
    share: bool = False

    def bins(self, lengths: Sequence[int], shared: int = 0) -> list[Bin]:
        """All micro-batches of a step, over all processes; rows of these lengths begin with `shared` equal tokens."""
        if self.packing:
            rests = [length - shared for length in lengths]
            return pack(rests, max(1, self.budget - shared), multiple=self.processes)
        return pad(lengths, self.rows, multiple=self.processes)

    def batches(self, examples: Sequence[Example]) -> list[MicroBatch]:
        """The micro-batches of `examples` that this process computes; every process has equally many."""
        shared = shared_beginning(examples) if self.share and self.packing else 0
        bins = self.bins([len(example.input_ids) for example in examples], shared)
        made = []
        for items in share(bins, self.rank, self.processes):
            rows = [examples[index] for index in items]
            # A process without rows still takes part in each collective: it computes one token that carries no loss.
            rows = rows or [replace(examples[0], input_ids=examples[0].input_ids[:1], labels=[IGNORED])]
            made.append(packed_batch(rows, shared) if self.packing else padded_batch(rows, self.pad_id))
        return made

    def step(self, examples: Sequence[Example]) -> Step:
        """This process's part of a step on `examples`."""
        return Step(
            self.batches(examples),
            sum(loss_tokens(example) for example in examples),
            sum(len(example.input_ids) for example in examples),
        )


class StepSampler:
    """Yields (epoch, step) for each step of an epoch; `skip` of accelerate and `set_epoch` of the Trainer reach it."""

    def __init__(self, order: RowOrder) -> None:
        self.order = order
        self.epoch = 0
        self.batch_size = 1
        self.drop_last = False

    @property
    def batch_sampler(self) -> StepSampler:
        """The Trainer sets the epoch on a loader's `batch_sampler.batch_sampler`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch whose order is yielded."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.order.steps_per_epoch

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for step in range(len(self)):
            yield [(self.epoch, step)]


class Steps(Dataset[Step]):
    """The steps of a training, made when they are asked for."""

    def __init__(self, examples: Sequence[Example], order: RowOrder, layout: Layout) -> None:
        self.examples = examples
        self.order = order
        self.layout = layout
        self._epoch: tuple[int, list[list[int]]] | None = None

    def __len__(self) -> int:
        return self.order.steps_per_epoch

    def __getitem__(self, index: tuple[int, int]) -> Step:
        epoch, step = index
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = (epoch, self.order.epoch(epoch))
        return self.layout.step([self.examples[row] for row in self._epoch[1][step]])


def step_loader(steps: Steps) -> DataLoader[Step]:
    """A loader that yields `Step`s. Its generator is its own, so that it draws nothing from the training's."""
    sampler: Any = StepSampler(steps.order)
    return DataLoader(steps, batch_sampler=sampler, collate_fn=_only, generator=torch.Generator())


def _only(items: list[Step]) -> Step:
    return items[0]
