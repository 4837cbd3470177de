"""Rendering: messages → what the model sees. One place for preview, training, generation and everything to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metier.rendering.thinking import split_thinking

if TYPE_CHECKING:
    from metier.models import ResolvedModel
    from metier.rendering.renderer import Example, Prompt, Renderer

__all__ = ["Example", "Prompt", "Renderer", "load_renderer", "split_thinking"]


def load_renderer(resolved: ResolvedModel, *, template: str | None = None) -> Renderer:
    """The renderer of a model; see `metier.rendering.renderer.load_renderer`. Imports transformers when called."""
    from metier.rendering.renderer import load_renderer as load

    return load(resolved, template=template)


def __getattr__(name: str) -> object:
    if name in ("Example", "Prompt", "Renderer"):
        from metier.rendering import renderer

        return getattr(renderer, name)
    raise AttributeError(name)
