"""The running batch: slots, each with a row, that all advance by one token a step.

Shapes: S slots, C columns, N rows inserted, W columns of an insertion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from transformers.cache_utils import Cache

from metier.engines.cache import SlotCache
from metier.engines.network import Network
from metier.engines.row import Row

# Columns beyond the longest row: the window slides over them and is moved back once they are used up.
_SLACK = 256


class SlotBatch:
    """Rows that advance together.

    slots: rows at once; longest: tokens of the longest prompt with its answer; history: whether token ids are kept for
    a repetition penalty.
    """

    def __init__(self, network: Network, *, slots: int, longest: int, history: bool) -> None:
        self.network = network
        capacity = longest + _SLACK
        device = network.device
        self.cache = SlotCache(network.layers, slots, capacity, network.looking_layers)
        self.rows: list[Row | None] = [None] * slots
        self.mask_SC = torch.zeros(slots, capacity, dtype=torch.bool, device=device)
        self.tokens_S = torch.zeros(slots, dtype=torch.long, device=device)
        self.positions_S = torch.zeros(slots, dtype=torch.long, device=device)
        # Tokens of each row so far, which are its positions unless pictures stand on a grid.
        self.lengths_S = torch.zeros(slots, dtype=torch.long, device=device)
        self.history_SC = torch.zeros(slots, capacity, dtype=torch.long, device=device) if history else None
        # What each step takes of the rows' pictures, by name, [S, …] each.
        self.seen_S: dict[str, torch.Tensor] = {}
        # Columns from a row's first token to the current one.
        self._extents = [0] * slots

    @property
    def live(self) -> int:
        return sum(row is not None for row in self.rows)

    @property
    def free(self) -> int:
        return len(self.rows) - self.live

    def insert(
        self,
        rows: Sequence[Row],
        states: Cache,
        mask_NW: torch.Tensor,
        extents: Sequence[int],
        next_N: torch.Tensor,
        seen_N: Mapping[str, torch.Tensor],
    ) -> None:
        """Puts prefilled rows, each with its first token chosen, into free slots. next_N: where their next tokens
        stand; seen_N: what each further step takes of their pictures."""
        width = mask_NW.shape[1]
        window = self.cache.window
        if window.end < width:
            self._move(width - window.width)
        taken = [slot for slot, row in enumerate(self.rows) if row is None][: len(rows)]
        slots = torch.tensor(taken, device=self.network.device)
        self.cache.insert(slots, states)
        for name, tensor_N in seen_N.items():
            if name not in self.seen_S:
                self.seen_S[name] = tensor_N.new_zeros(len(self.rows), *tensor_N.shape[1:]).to(self.network.device)
            self.seen_S[name][slots] = tensor_N.to(self.network.device)
        self.mask_SC[slots] = False
        self.mask_SC[slots, window.end - width : window.end] = mask_NW
        self.tokens_S[slots] = torch.tensor([row.ids[-1] for row in rows], device=self.network.device)
        self.positions_S[slots] = next_N.to(self.network.device)
        self.lengths_S[slots] = torch.tensor([len(row.prompt_ids) for row in rows], device=self.network.device)
        for slot, row, extent in zip(taken, rows, extents, strict=True):
            self.rows[slot] = row
            self._extents[slot] = extent
            if self.history_SC is not None:
                self.history_SC[slot] = row.prompt_ids[0]
                self.history_SC[slot, : len(row.prompt_ids)] = torch.tensor(row.prompt_ids)
        self._trim()

    def advance(self) -> torch.Tensor:
        """Feeds each slot's last token; returns the logits behind it, [S, vocabulary]."""
        window = self.cache.window
        self._trim()
        if window.end == self.cache.capacity:
            self._move(0)
        self.mask_SC[:, window.end] = True
        if self.history_SC is not None:
            self.history_SC[torch.arange(len(self.rows)), self.lengths_S] = self.tokens_S
        logits = self.network(
            self.tokens_S.unsqueeze(1),
            self.mask_SC[:, window.start : window.end + 1],
            self.positions_S.unsqueeze(1),
            self.cache,
            self.seen_S,
        )
        window.end += 1
        # A slot whose row has ended idles along; its position must stay one that the model knows.
        last = min(self.network.context_length, self.cache.capacity) - 1
        self.positions_S = (self.positions_S + 1).clamp_(max=last)
        self.lengths_S = (self.lengths_S + 1).clamp_(max=last)
        self._extents = [extent + 1 for extent in self._extents]
        return logits

    def release_finished(self) -> None:
        """Frees the slots whose rows have ended."""
        self.rows = [None if row is None or row.finish else row for row in self.rows]

    def compact(self) -> None:
        """Gives up free slots for good, once they are a quarter."""
        if self.free * 4 < len(self.rows) or not self.live:
            return
        kept = [slot for slot, row in enumerate(self.rows) if row is not None]
        slots = torch.tensor(kept, device=self.network.device)
        self.cache.select(slots)
        self.rows = [self.rows[slot] for slot in kept]
        self._extents = [self._extents[slot] for slot in kept]
        self.mask_SC = self.mask_SC[slots]
        self.tokens_S = self.tokens_S[slots]
        self.positions_S = self.positions_S[slots]
        self.lengths_S = self.lengths_S[slots]
        self.seen_S = {name: tensor_S[slots] for name, tensor_S in self.seen_S.items()}
        if self.history_SC is not None:
            self.history_SC = self.history_SC[slots]

    def seen(self) -> torch.Tensor | None:
        """Token ids so far of each slot, for the repetition penalty."""
        if self.history_SC is None:
            return None
        return self.history_SC[:, : int(self.lengths_S.max()) + 1]

    def _trim(self) -> None:
        """Leaves out leading columns that no living row uses."""
        used = max((e for e, row in zip(self._extents, self.rows, strict=True) if row is not None), default=0)
        self.cache.window.start = self.cache.window.end - used

    def _move(self, start: int) -> None:
        window = self.cache.window
        used_SW = self.mask_SC[:, window.start : window.end].clone()
        self.cache.move(start)
        self.mask_SC.zero_()
        self.mask_SC[:, window.start : window.end] = used_SW
