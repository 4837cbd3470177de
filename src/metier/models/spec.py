"""Which model a step works with. Free of torch."""

from __future__ import annotations

from metier.core.specs import Spec


class ModelSpec(Spec):
    """A base model, optionally with an adapter (LoRA) on top of it."""

    model_name_or_path: str = "smollm2-135m"
    adapter_name_or_path: str | None = None
    revision: str | None = None
