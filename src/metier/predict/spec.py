"""The parameters of a prediction, torch-free. Names are those of LLaMA-Factory's `vllm_infer.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from metier.core.specs import Spec
from metier.engines.sampling import Sampling


class PredictSpec(Spec):
    """Which model answers which rows, and how tokens are chosen.

    The answers are always in the step's folder as `predictions.jsonl`; another `save_name` gets the same file besides.
    """

    # The model
    model_name_or_path: str = "smollm2-135m"
    adapter_name_or_path: str | None = None
    revision: str | None = None
    template: str | None = None

    # The rows
    dataset: str = ""
    dataset_dir: Path | None = None
    columns: dict[str, str] | None = None
    skip_bad_rows: bool = False
    cutoff_len: int = Field(2048, ge=8)
    max_samples: Annotated[int, Field(gt=0)] | None = None
    system_prompt: str | None = None
    enable_thinking: bool | None = None

    # How tokens are chosen
    temperature: float = Field(0.1, ge=0)
    top_p: float = Field(0.9, gt=0, le=1)
    top_k: int = Field(40, ge=-1)
    max_new_tokens: int = Field(512, ge=1)
    repetition_penalty: float = Field(1.0, gt=0)
    stop: tuple[str, ...] = ()
    seed: int = 42

    # Where and how it runs
    engine: str = "hf"
    batch_size: Annotated[int, Field(gt=0)] | None = None
    vllm_config: dict[str, Any] = Field(default_factory=dict)
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: str = "auto"
    merge_adapter: bool | None = None

    # Where the answers go
    save_name: str = Field("predictions.jsonl", min_length=1)

    @field_validator("vllm_config", mode="before")
    @classmethod
    def _parse_json(cls, value: Any) -> Any:
        """Takes the JSON text that `vllm_infer.py` takes, or a mapping."""
        if not isinstance(value, str):
            return {} if value is None else value
        try:
            parsed = json.loads(value or "{}")
        except json.JSONDecodeError as error:
            raise ValueError(f"not JSON ({error.msg} at character {error.pos + 1})") from error
        if not isinstance(parsed, dict):
            raise ValueError("a JSON object is expected, such as '{\"tensor_parallel_size\": 4}'")
        return parsed

    @property
    def sampling(self) -> Sampling:
        """How tokens are chosen, as the engines take it."""
        return Sampling(**{name: getattr(self, name) for name in Sampling.model_fields})
