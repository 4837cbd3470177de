"""Tensors of a step's rows: packed end to end, or padded on the right.

B batch, L tokens, P label positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader, Dataset

from metier.train.plan import Bin, RowOrder, pack, pad, share

if TYPE_CHECKING:
    from metier.rendering import Example
    from metier.rendering.eyes import Eyes

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
    look: Callable[[], Mapping[str, torch.Tensor]] | None = None
    seen: Mapping[str, torch.Tensor] = field(default_factory=dict)

    def to(self, device: torch.device) -> MicroBatch:
        """The same on `device`, its pictures seen."""
        moved = [
            tensor.to(device, non_blocking=True)
            for tensor in (self.input_ids, self.position_ids, self.label_positions, self.targets)
        ]
        seen = self.look() if self.look is not None else self.seen
        return replace(
            self,
            input_ids=moved[0],
            position_ids=moved[1],
            label_positions=moved[2],
            targets=moved[3],
            look=None,
            seen={name: tensor.to(device, non_blocking=True) for name, tensor in seen.items()},
        )


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


def padded_batch(examples: Sequence[Example], pad_id: int, eyes: Eyes | None = None) -> MicroBatch:
    """One row per batch entry, padded on the right, where a causal model never looks.

    eyes: of a model that takes the examples' pictures.
    """
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
    look = partial(_look, eyes, examples, longest) if eyes is not None else None
    return MicroBatch(torch.tensor(ids), positions, None, where, targets, tokens, look=look)


def _look(eyes: Eyes, examples: Sequence[Example], width: int) -> Mapping[str, torch.Tensor]:
    from metier.rendering.eyes import Seen

    return eyes.tensors([Seen(example.input_ids, example.pictures) for example in examples], width)


def _label_positions(shifted: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    where = [index for index, label in enumerate(shifted) if label != IGNORED]
    return torch.tensor(where, dtype=torch.long), torch.tensor([shifted[index] for index in where], dtype=torch.long)


@dataclass(frozen=True)
class Layout:
    """How rows are put together.

    budget: tokens of a packed micro-batch; rows: rows of a padded one; share: compute a beginning that all rows of a
    step have in common once a micro-batch (the engine room can); eyes: of a model whose rows have pictures.
    """

    packing: bool
    budget: int
    rows: int
    pad_id: int
    rank: int = 0
    processes: int = 1
    share: bool = False
    eyes: Eyes | None = None

    def bins(self, lengths: Sequence[int], shared: int = 0, kinds: Sequence[int] | None = None) -> list[Bin]:
        """All micro-batches of a step, over all processes; rows of these lengths begin with `shared` equal tokens, and
        only rows of one kind may be computed together."""
        if self.packing:
            rests = [length - shared for length in lengths]
            return pack(rests, max(1, self.budget - shared), multiple=self.processes)
        return pad(lengths, self.rows, multiple=self.processes, kinds=kinds)

    def batches(self, examples: Sequence[Example]) -> list[MicroBatch]:
        """The micro-batches of `examples` that this process computes; every process has equally many."""
        shared = shared_beginning(examples) if self.share and self.packing else 0
        kinds = [self.eyes.group(len(example.pictures)) for example in examples] if self.eyes is not None else None
        bins = self.bins([len(example.input_ids) for example in examples], shared, kinds)
        made = []
        for items in share(bins, self.rank, self.processes):
            rows = [examples[index] for index in items]
            rows = rows or [_idle(examples[0])]
            made.append(packed_batch(rows, shared) if self.packing else padded_batch(rows, self.pad_id, self.eyes))
        return made

    def step(self, examples: Sequence[Example]) -> Step:
        """This process's part of a step on `examples`."""
        return Step(
            self.batches(examples),
            sum(loss_tokens(example) for example in examples),
            sum(len(example.input_ids) for example in examples),
        )


def _idle(example: Example) -> Example:
    """What a process without rows computes to take part in each collective: one token, or a pictured row whole, so that
    the same parts of the model work; without loss."""
    kept = len(example.input_ids) if example.pictures else 1
    return replace(example, input_ids=example.input_ids[:kept], labels=[IGNORED] * kept)


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
