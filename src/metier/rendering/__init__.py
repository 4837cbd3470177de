"""Messages to what the model sees: token ids, loss mask and stop ids, by the model's own chat template.

One place for preview, training, generation and parity. Importing this package loads neither torch nor transformers.
"""

from metier.rendering.encoding import IncrementalDecoder
from metier.rendering.load import load_renderer, make_renderer
from metier.rendering.renderer import NO_LOSS, Example, Prompt, Renderer, Segment
from metier.rendering.thinking import split_thinking, strip_thinking

__all__ = [
    "NO_LOSS",
    "Example",
    "IncrementalDecoder",
    "Prompt",
    "Renderer",
    "Segment",
    "load_renderer",
    "make_renderer",
    "split_thinking",
    "strip_thinking",
]
