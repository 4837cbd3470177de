"""Which rows run together. Torch-free arithmetic over token counts."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from metier.engines.row import Row

# A prefix shared by all prompts is prefilled once from this many tokens on; below it the extra pass costs more.
MINIMUM_PREFIX = 16


def take_group(pending: deque[Row], places: int, token_budget: int, prefix: int) -> list[Row]:
    """Takes the next rows to prefill together from `pending` (longest first).

    places: rows at most; token_budget: padded tokens at most (one row is always taken), what pictures take among them;
    prefix: leading tokens already prefilled. A much shorter row waits for the next group once this one is large enough
    to use the machine well.
    """
    longest = len(pending[0].prompt_ids) - prefix + pending[0].extra
    group = [pending.popleft()]
    while pending and len(group) < places:
        tokens = (len(group) + 1) * longest
        if tokens > token_budget:
            break
        padded = longest - (len(pending[0].prompt_ids) - prefix + pending[0].extra)
        if padded * 4 > longest and tokens * 4 > token_budget:
            break
        group.append(pending.popleft())
    return group


def shared_prefix(prompts: Sequence[Sequence[int]], limit: int | None = None) -> int:
    """Leading tokens that all prompts share, `limit` at most, each keeping at least one of its own; 0 where that does
    not pay."""
    if len(prompts) < 4:
        return 0
    # All share what the first and the last in lexical order share.
    first, last = min(prompts, key=list), max(prompts, key=list)
    most = min(len(prompt) for prompt in prompts) - 1
    most = most if limit is None else min(most, limit)
    length = 0
    while length < most and first[length] == last[length]:
        length += 1
    return length if length >= MINIMUM_PREFIX else 0


def places_in_memory(
    *, free_bytes: int, bytes_per_token: int, bytes_per_row: int, tokens_per_row: int, most: int
) -> int:
    """Rows whose keys and values fit into `free_bytes`: at least 1, at most `most`."""
    row = bytes_per_token * tokens_per_row + bytes_per_row
    return max(1, min(most, free_bytes // max(1, row)))
