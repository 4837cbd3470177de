"""A key-value cache with slots: rows come and go while the others go on.

All rows share one time axis of columns. A row's tokens end at the current column, so its first token may stand at any
column; positions are already in the keys, and a mask says which columns belong to which row. New columns are written
in place: a cache that concatenates copies itself at every token.

Shapes: S slots, H heads, C columns, D size of a head.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

import torch
from transformers.cache_utils import Cache, CacheLayerMixin


@dataclass(slots=True)
class Window:
    """The columns in use: start (inclusive) to end (exclusive)."""

    start: int = 0
    end: int = 0

    @property
    def width(self) -> int:
        return self.end - self.start


class SlotLayer(CacheLayerMixin):  # type: ignore[misc]
    """Keys and values of one layer, [S, H, C, D] each, allocated at the first insertion."""

    is_sliding = False  # sliding windows are the mask's business: all columns are kept

    def __init__(self, window: Window, slots: int, capacity: int) -> None:
        super().__init__()
        self.window = window
        self.slots = slots
        self.capacity = capacity

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Allocates for the shapes of given states. Zeros, since masked columns still meet a multiplication by 0."""
        self.keys = self._empty_like(key_states)
        self.values = self._empty_like(value_states)
        self.is_initialized = True

    def _empty_like(self, states: torch.Tensor) -> torch.Tensor:
        shape = (self.slots, states.shape[1], self.capacity, states.shape[3])
        return torch.zeros(shape, dtype=states.dtype, device=states.device)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Writes one new column for every slot and returns the columns in use, the new one included."""
        start, end = self.window.start, self.window.end
        self.keys[:, :, end : end + 1] = key_states
        self.values[:, :, end : end + 1] = value_states
        return self.keys[:, :, start : end + 1], self.values[:, :, start : end + 1]

    def get_seq_length(self) -> int:
        return self.window.width

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.window.width + query_length, 0

    def get_max_length(self) -> int:
        return -1

    def insert(self, slots: torch.Tensor, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Writes prefilled states so that their last column is the last one in use."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        end = self.window.end
        begin = end - key_states.shape[2]
        self.keys[slots, :, begin:end] = key_states
        self.values[slots, :, begin:end] = value_states

    def move(self, start: int) -> None:
        """Copies the columns in use so that they begin at `start`."""
        source = slice(self.window.start, self.window.end)
        target = slice(start, start + self.window.width)
        self.keys[:, :, target] = self.keys[:, :, source].clone()
        self.values[:, :, target] = self.values[:, :, source].clone()

    def select(self, slots: torch.Tensor) -> None:
        """Keeps the given slots only."""
        self.slots = len(slots)
        self.keys = self.keys.index_select(0, slots)
        self.values = self.values.index_select(0, slots)


class PictureLayer(SlotLayer):
    """Keys and values of pictures, which a row brings whole and no token adds to: C are places on its pictures."""

    def _empty_like(self, states: torch.Tensor) -> torch.Tensor:
        return torch.zeros((self.slots, *states.shape[1:]), dtype=states.dtype, device=states.device)

    def insert(self, slots: torch.Tensor, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Writes the states of newly seated rows' pictures."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        self.keys[slots] = key_states
        self.values[slots] = value_states

    def move(self, start: int) -> None:
        """Nothing: pictures are not on the axis of tokens."""


class SlotCache(Cache):  # type: ignore[misc]
    """One layer a layer over one `Window`: a `SlotLayer`, or a `PictureLayer` where its number is in `looking`.

    capacity: columns; must hold the longest prompt and its answer. More columns mean fewer moves.
    """

    def __init__(self, layers: int, slots: int, capacity: int, looking: Container[int] = ()) -> None:
        self.window = Window()
        self.capacity = capacity
        kinds = [PictureLayer if number in looking else SlotLayer for number in range(layers)]
        super().__init__(layers=[kind(self.window, slots, capacity) for kind in kinds])

    def insert(self, slots: torch.Tensor, source: Cache) -> None:
        """Takes over the states of a prefilled cache into `slots`. Layers that look have none where nothing is seen."""
        for layer, prefilled in zip(self.layers, source.layers, strict=False):
            if prefilled.is_initialized:
                layer.insert(slots, prefilled.keys, prefilled.values)

    def move(self, start: int) -> None:
        """Moves the columns in use to `start`."""
        width = self.window.width
        if start != self.window.start and width:
            for layer in self.layers:
                if layer.is_initialized:
                    layer.move(start)
        self.window.start, self.window.end = start, start + width

    def select(self, slots: torch.Tensor) -> None:
        """Keeps the given slots only."""
        for layer in self.layers:
            if layer.is_initialized:
                layer.select(slots)
