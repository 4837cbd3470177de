"""How each family of vision models takes pictures: what they become among the tokens, and which tensors they are.

The image processor is transformers' own one for Pillow, whatever else is installed, so that a picture is the same
numbers on every machine. Tokens and masks are put together here, since transformers' processors of some families want
torchvision; the tests prove that both agree wherever the processor runs.
"""

from metier.rendering.eyes.base import Eyes, Seen
from metier.rendering.eyes.load import load_eyes

__all__ = ["Eyes", "Seen", "load_eyes"]
