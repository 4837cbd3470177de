"""The batched generation loop: prefill in groups of like length, then one token a step for all slots.

A row that ends frees its slot, and the next prompts are prefilled into free slots while the others wait a moment, so
that one long answer never holds the rest. Models whose cache is more than keys and values (recurrent or chunked
layers) run in whole batches of equal prompt length instead.

Shapes: N rows, W columns, V vocabulary.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

import torch
from transformers.cache_utils import Cache, DynamicCache

from metier.engines.choosing import choose, uniform
from metier.engines.network import Network
from metier.engines.row import Row
from metier.engines.sampling import Sampling
from metier.engines.scheduling import shared_prefix, take_group
from metier.engines.slots import SlotBatch
from metier.rendering.eyes import Seen

if TYPE_CHECKING:
    from metier.rendering.eyes import Eyes


class Decoder:
    """Generates answers for rows.

    stop_ids: tokens that end an answer; pad_id: fills the left of shorter prompts; token_budget: padded tokens of one
    prefill pass at most; eyes: of a model that takes pictures.
    """

    def __init__(
        self,
        network: Network,
        sampling: Sampling,
        *,
        stop_ids: Sequence[int],
        pad_id: int,
        token_budget: int,
        eyes: Eyes | None = None,
    ) -> None:
        self.network = network
        self.sampling = sampling
        self.stop_ids = frozenset(stop_ids)
        self.pad_id = pad_id
        self.token_budget = token_budget
        self.eyes = eyes

    def steps(self, rows: Sequence[Row], slots: int) -> Iterator[list[Row]]:
        """Advances `rows`, at most `slots` at once; yields after each pass the rows that got a token."""
        for alike in self._computed_together(rows):
            pending = deque(sorted(alike, key=lambda row: len(row.prompt_ids) + row.extra, reverse=True))
            if self.network.slotted:
                yield from self._in_slots(pending, min(slots, len(pending)))
            else:
                yield from self._in_whole_batches(pending, slots)

    def _computed_together(self, rows: Sequence[Row]) -> Iterator[list[Row]]:
        """The rows, apart where the model does not let them be computed in one batch."""
        groups: dict[int, list[Row]] = {}
        for row in rows:
            groups.setdefault(self.eyes.group(len(row.pictures)) if self.eyes else 0, []).append(row)
        yield from groups.values()

    def _look(self, rows: Sequence[Row], width: int, start: int = 0) -> dict[str, torch.Tensor]:
        """What the model takes of the rows' pictures, which are opened now. width: tokens of a padded prompt; start:
        of its tokens, what is prefilled already."""
        if self.eyes is None:
            return {}
        seen = [Seen(row.prompt_ids[start:], row.pictures, start) for row in rows]
        return self.eyes.tensors(seen, width, left=True)

    def _in_slots(self, pending: deque[Row], slots: int) -> Iterator[list[Row]]:
        prefix = self._prefill_prefix(pending)
        batch = SlotBatch(
            self.network,
            slots=slots,
            longest=max((len(row.prompt_ids) + row.limit for row in pending), default=0),
            history=self.sampling.repetition_penalty != 1.0,
        )
        while pending or batch.live:
            if pending and batch.free * 8 >= slots:
                while pending and batch.free:
                    group = take_group(pending, batch.free, self.token_budget, _length(prefix))
                    yield self._prefill_into(batch, group, prefix)
            if not pending:
                batch.compact()
            if batch.live:
                logits_SV = batch.advance()
                touched = [row for row in batch.rows if row is not None]
                batch.tokens_S = self._choose(logits_SV, batch.rows, batch.seen())
                batch.release_finished()
                yield touched

    def _prefill_prefix(self, rows: Sequence[Row]) -> DynamicCache | None:
        """The states of what all prompts begin with before any picture, or None where that does not pay."""
        prompts = [row.prompt_ids for row in rows]
        limit = (
            min((self.eyes.unseen(Seen(row.prompt_ids, row.pictures)) for row in rows), default=0)
            if self.eyes
            else None
        )
        # With a gap between prefix and prompt, a sliding window would count columns that are no tokens.
        length = 0 if self.network.sliding else shared_prefix(prompts, limit)
        if not length:
            return None
        ids_1W = torch.tensor([list(prompts[0][:length])], device=self.network.device)
        cache = DynamicCache()
        self.network(ids_1W, torch.ones_like(ids_1W), torch.arange(length, device=self.network.device)[None], cache)
        return cache

    def _prefill_into(self, batch: SlotBatch, group: list[Row], prefix: DynamicCache | None) -> list[Row]:
        """Prefills a group, chooses first tokens, and seats the rows that go on."""
        shared = _length(prefix)
        own = [list(row.prompt_ids[shared:]) for row in group]
        width = max(map(len, own))
        device = self.network.device
        ids_NW = torch.tensor([[self.pad_id] * (width - len(ids)) + ids for ids in own], device=device)
        starts_N1 = torch.tensor([[width - len(ids)] for ids in own], device=device)
        real_NW = torch.arange(width, device=device) >= starts_N1
        mask_NW = torch.cat([real_NW.new_ones(len(group), shared), real_NW], dim=1)
        positions_NW = (torch.arange(width, device=device) - starts_N1).clamp_(min=0) + shared
        cache = _repeat(prefix, len(group))
        seen_N = self._look(group, width, shared)
        next_N = _next_positions(seen_N.get("position_ids", positions_NW))
        logits_NV = self.network(ids_NW, mask_NW, positions_NW, cache, seen_N)
        lasting_N = self.eyes.lasting(seen_N) if self.eyes else {}
        self._choose(logits_NV, group, self._history(group))
        going_on = [place for place, row in enumerate(group) if row.finish is None]
        if going_on:
            if len(going_on) < len(group):
                kept = torch.tensor(going_on, device=device)
                cache.batch_select_indices(kept)
                mask_NW = mask_NW[kept]
                next_N = next_N[going_on]
                lasting_N = {name: tensor_N[going_on] for name, tensor_N in lasting_N.items()}
            seated = [group[place] for place in going_on]
            extents = [shared + width if shared else len(row.prompt_ids) for row in seated]
            batch.insert(seated, cache, mask_NW, extents, next_N, lasting_N)
        return group

    def _in_whole_batches(self, pending: deque[Row], slots: int) -> Iterator[list[Row]]:
        """Batches of equal prompt length over the model's own cache; each runs until its last row ends."""
        while pending:
            length = len(pending[0].prompt_ids)
            most = max(1, min(slots, self.token_budget // length))
            group = list(takewhile(lambda row: len(row.prompt_ids) == length, list(pending)[:most]))  # noqa: B023
            for _ in group:
                pending.popleft()
            yield from self._whole_batch(group)

    def _whole_batch(self, group: list[Row]) -> Iterator[list[Row]]:
        device = self.network.device
        cache = self.network.own_cache()
        ids_NW = torch.tensor([list(row.prompt_ids) for row in group], device=device)
        seen_N = self._look(group, ids_NW.shape[1])
        positions_NW = torch.arange(ids_NW.shape[1], device=device).expand(len(group), -1)
        done = 0
        rows: list[Row | None] = list(group)
        while any(rows):
            seen = done + ids_NW.shape[1]
            mask_NW = torch.ones(len(group), seen, dtype=torch.bool, device=device)
            logits_NV = self.network(ids_NW, mask_NW, positions_NW, cache, seen_N)
            positions_NW = _next_positions(seen_N.get("position_ids", positions_NW)).unsqueeze(1).to(device)
            if self.eyes is not None and not done:
                seen_N = self.eyes.lasting(seen_N)
            touched = [row for row in rows if row is not None]
            ids_NW = self._choose(logits_NV, rows, self._history(group)).unsqueeze(1)
            done = seen
            rows = [None if row is None or row.finish else row for row in rows]
            yield touched

    def _choose(
        self, logits_NV: torch.Tensor, rows: Sequence[Row | None], history: torch.Tensor | None
    ) -> torch.Tensor:
        """Chooses a token a row and hands it to the row; None marks an idle place."""
        greedy = self.sampling.greedy
        draws = [0.0 if row is None or greedy else uniform(row.seed, len(row.ids)) for row in rows]
        tokens = choose(logits_NV, self.sampling, draws, history)
        for row, token in zip(rows, tokens.tolist(), strict=True):
            if row is not None:
                row.accept(token, self.stop_ids)
        return tokens

    def _history(self, rows: Sequence[Row]) -> torch.Tensor | None:
        """Token ids of prompt and answer a row, padded with the row's own first id, for the repetition penalty."""
        if self.sampling.repetition_penalty == 1.0:
            return None
        ids = [[*row.prompt_ids, *row.ids] for row in rows]
        width = max(map(len, ids))
        return torch.tensor([row + row[:1] * (width - len(row)) for row in ids], device=self.network.device)


def _next_positions(positions: torch.Tensor) -> torch.Tensor:
    """Where each row's next token stands, [N]. positions: of its tokens, [N, W], or [axes, N, W] of which the axes are
    alike again behind a picture."""
    return positions.reshape(-1, *positions.shape[-2:])[0, :, -1] + 1


def _length(prefix: DynamicCache | None) -> int:
    return 0 if prefix is None else int(prefix.get_seq_length())


def _repeat(prefix: DynamicCache | None, rows: int) -> Cache:
    """A cache for `rows` rows that begins with the prefix (views: the states are copied as the rows' own are added)."""
    if prefix is None:
        return DynamicCache()
    return DynamicCache(
        [(layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1)) for layer in prefix.layers]
    )
