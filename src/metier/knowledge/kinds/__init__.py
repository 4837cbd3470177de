"""How documents of a kind are split: one file a kind, one line in the table."""

from metier.knowledge.kinds.kind import Kind, Piece
from metier.knowledge.kinds.registry import KINDS, recognise

__all__ = ["KINDS", "Kind", "Piece", "recognise"]
