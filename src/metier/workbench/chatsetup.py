"""What a chat is asked with: which models, what is said first, how tokens are chosen. Free of torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from metier.core.specs import Spec
from metier.engines.sampling import Sampling

SIDES = ("left", "right")
ModelName = Annotated[str, Field(min_length=1, max_length=300)]
_LONGEST_PROMPT = 20_000


class ChatSampling(Spec):
    """The engines' own parameters under their own names, within what one answer on a shared machine may ask for."""

    temperature: float = Field(0.7, ge=0, le=5)
    top_p: float = Field(0.9, gt=0, le=1)
    top_k: int = Field(40, ge=-1, le=1000)
    max_new_tokens: int = Field(512, ge=1, le=32_768)
    repetition_penalty: float = Field(1.1, gt=0, le=10)
    seed: int = Field(42, ge=0, lt=2**31)

    def sampling(self, draw: int) -> Sampling:
        """As the engines take it. draw: another answer to the same question is another draw."""
        values = self.model_dump()
        return Sampling(**{**values, "seed": self.seed + draw})


class ChatSetup(Spec):
    """models: one, or two that answer side by side; enable_thinking: None leaves it to the model's template."""

    models: tuple[ModelName, ...] = Field(("smollm2-135m",), min_length=1, max_length=2)
    system_prompt: str = Field("", max_length=_LONGEST_PROMPT)
    enable_thinking: bool | None = None
    sampling: ChatSampling = ChatSampling()

    @property
    def sides(self) -> dict[str, str]:
        """Side → model."""
        return dict(zip(SIDES, self.models, strict=False))
