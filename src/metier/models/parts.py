"""The parts of a vision model: what sees, what hands it on, and what reads and writes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

Part = Literal["vision", "projector", "language"]

# Names of modules in transformers' vision models. A projector may lie inside the tower (Qwen's merger).
_PROJECTOR = {"multi_modal_projector", "connector", "merger", "deepstack_merger_list"}
_VISION = {"vision_tower", "vision_model", "visual"}


def part_of(name: str) -> Part:
    """The part that a module or parameter of this dotted name belongs to; all of a text model is language."""
    names = set(name.split("."))
    if names & _PROJECTOR:
        return "projector"
    return "vision" if names & _VISION else "language"


def lora_modules(model: Any, target: str, frozen: Collection[Part] = ("vision", "projector")) -> list[str]:
    """Names of the linear layers that `lora_target` means, in the parts that are not frozen, without the head.

    target: `all`, or layers' own names with commas (`q_proj,v_proj`).
    """
    import torch

    wanted = None if target.strip() == "all" else {name.strip() for name in target.split(",") if name.strip()}
    head = model.get_output_embeddings()
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
        and module is not head
        and part_of(name) not in frozen
        and (wanted is None or name.rpartition(".")[2] in wanted)
    ]
