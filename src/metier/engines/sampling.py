"""How the next token is chosen, as one checked object."""

from __future__ import annotations

from pydantic import Field, field_validator

from metier.core.specs import Spec


class Sampling(Spec):
    """Sampling parameters under the names the field uses.

    temperature: 0 is greedy; top_p: nucleus mass in (0, 1]; top_k: 0 or -1 switches it off; max_new_tokens: tokens an
    answer may have; repetition_penalty: as transformers defines it, over prompt and answer; seed: each row draws from
    seed + its id, so that neither batching nor resuming changes an answer; stop: texts that end an answer.
    """

    temperature: float = Field(default=0.1, ge=0.0)
    top_p: float = Field(default=0.9, gt=0.0, le=1.0)
    top_k: int = Field(default=40, ge=-1)
    max_new_tokens: int = Field(default=512, ge=1)
    repetition_penalty: float = Field(default=1.0, gt=0.0)
    seed: int = 42
    stop: tuple[str, ...] = ()

    @field_validator("stop")
    @classmethod
    def _stop_texts_are_not_empty(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not text for text in value):
            raise ValueError("a stop text must not be empty")
        return value

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is always taken."""
        return self.temperature == 0.0 or self.top_k == 1
