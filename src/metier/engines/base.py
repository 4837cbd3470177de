"""The seam between what asks for text and what generates it."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from metier.engines.sampling import Sampling

if TYPE_CHECKING:
    from metier.rendering import Prompt, Renderer

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer.

    text: without special tokens and without the stop text; token_ids: as generated, the stop token included;
    finish_reason: `stop` (the model or a stop text ended it) or `length`; prompt_tokens: tokens of its prompt.
    """

    text: str
    token_ids: list[int]
    finish_reason: FinishReason
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine is opened. Engines refuse by name what they cannot honour.

    template: a chat template's name or file instead of the model's own; dtype, device: `auto` or torch's names;
    merge_adapter: None merges where that keeps answers the same (fp32); vllm_config: settings of a server engine.
    """

    template: str | None = None
    dtype: str = "auto"
    device: str = "auto"
    merge_adapter: bool | None = None
    vllm_config: dict[str, Any] = field(default_factory=dict)


class Engine(Protocol):
    """Generates text for one model."""

    @property
    def renderer(self) -> Renderer:
        """Turns messages into this engine's prompts."""

    @property
    def context_length(self) -> int:
        """Tokens that prompt and answer may have together."""

    def generate(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        *,
        batch_size: int | None = None,
        seeds: Sequence[int] | None = None,
    ) -> Iterator[list[tuple[int, Completion]]]:
        """Yields (index into `prompts`, answer) as answers end, in no fixed order.

        batch_size: rows at once, None for as many as pay and fit; seeds: one a prompt, else sampling.seed + index.
        """

    def stream(self, prompt: Prompt, sampling: Sampling) -> Generator[str, None, Completion]:
        """Yields pieces of one answer's text and returns the whole; closing it stops generation."""


def prompt_budget(context_length: int, max_new_tokens: int) -> int:
    """Tokens a prompt may have so that its answer has room; at least half the context stays for the prompt."""
    return max(context_length - max_new_tokens, context_length // 2)
