"""What generates text for a model: `hf` in process, behind one `Engine` seam that servers join.

`open_engine("hf", resolved)` gives an engine; `engine.generate(prompts, Sampling(...))` yields finished answers as they
end, `engine.stream(prompt, ...)` yields text pieces. `ChatSession` keeps a conversation over any engine.
"""

from __future__ import annotations

from metier.engines.base import Completion, Engine, EngineOptions, prompt_budget
from metier.engines.chat import ChatPiece, ChatSession, open_base_and_tuned, side_by_side
from metier.engines.registry import ENGINES, open_engine
from metier.engines.sampling import Sampling

__all__ = [
    "ENGINES",
    "ChatPiece",
    "ChatSession",
    "Completion",
    "Engine",
    "EngineOptions",
    "Sampling",
    "open_base_and_tuned",
    "open_engine",
    "prompt_budget",
    "side_by_side",
]
