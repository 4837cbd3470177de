"""The parameters of a proof."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from metier.core.specs import Spec

VariantName = Literal["base", "tuned", "base_knowledge", "tuned_knowledge"]
VARIANTS: tuple[VariantName, ...] = ("base", "tuned", "base_knowledge", "tuned_knowledge")


def _names(value: Any) -> Any:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


class ProofSpec(Spec):
    """Which specialist is proven, on which questions, and who judges.

    specialist: a name, or a YAML file; questions: a file of JSON lines, see `metier.evaluate.proof.questions`, or the
    name of a shipped one; variants: empty takes all that there are (`tuned` needs an adapter, `…_knowledge` a knowledge
    base); model_name_or_path: instead of the specialist's; questions_label: what they are called, instead of their
    file; adapter_name_or_path: what tuned means, else the
    specialist's own; max_new_tokens: of an answer, instead of the specialist's; rubric: a shipped name or a YAML file,
    empty takes the one named like the specialist; judge_…: no judge without a model or an address; judge_api_key: the
    NAME of an environment variable; prompt_price, completion_price: of a million tokens, in `currency`.
    """

    specialist: str = ""
    questions: Path = Path("questions.jsonl")
    variants: Annotated[tuple[VariantName, ...], BeforeValidator(_names)] = ()
    model_name_or_path: str | None = None
    adapter_name_or_path: str | None = None
    max_samples: int | None = Field(None, ge=1)
    max_new_tokens: int | None = Field(None, ge=1)
    depth: int = Field(100, ge=10, le=1000)
    parallel: int = Field(1, ge=1, le=64)
    rubric: str = ""
    judge_model_name_or_path: str | None = None
    judge_address: str = ""
    judge_model: str = ""
    judge_api_key: str = ""
    judge_votes: int = Field(3, ge=1, le=15)
    judge_pairs: Literal["base", "all"] = "base"
    prompt_price: float = Field(0.0, ge=0.0)
    completion_price: float = Field(0.0, ge=0.0)
    currency: str = Field("", max_length=8)
    questions_label: str = Field("", max_length=300)
    title: str = Field("", max_length=300)
    rows_shown: int = Field(20, ge=0, le=1000)
    bootstrap_samples: int = Field(2000, ge=100, le=100_000)
    confidence: float = Field(0.95, gt=0.5, lt=1.0)
    seed: int = Field(42, ge=0)

    @property
    def has_judge(self) -> bool:
        """Whether somebody judges."""
        return bool(self.judge_model_name_or_path or self.judge_address)
