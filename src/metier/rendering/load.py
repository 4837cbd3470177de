"""Finds a model's tokenizer, template and end tokens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.core.errors import ConfigError
from metier.rendering.encoding import declared_stop_ids
from metier.rendering.renderer import Renderer
from metier.rendering.template import ChatTemplate

if TYPE_CHECKING:
    from metier.models import ResolvedModel


def load_renderer(resolved: ResolvedModel, *, template: str | None = None) -> Renderer:
    """The renderer of a model.

    template: a Jinja file, or the name of a family (see `metier.rendering.families`) that the model has to belong to;
    None takes the model's own. Raises ConfigError if there is no template or it does not fit, ModelError if there is
    no tokenizer.
    """
    from metier.models import load_tokenizer

    return make_renderer(load_tokenizer(resolved), folder=resolved.folder, template=template)


def make_renderer(tokenizer: Any, *, folder: Path | None = None, template: str | None = None) -> Renderer:
    """The renderer for a tokenizer of transformers; folder: where `generation_config.json` is looked for."""
    source, name = _template(tokenizer, folder, template)
    variables = {key: str(value) for key, value in tokenizer.special_tokens_map.items() if isinstance(value, str)}
    return Renderer(tokenizer, ChatTemplate(source, variables, name=name), declared_stop_ids(tokenizer, folder))


def _template(tokenizer: Any, folder: Path | None, template: str | None) -> tuple[str, str]:
    own = tokenizer.chat_template
    if isinstance(own, dict):
        own = own.get("default")
    if template is not None and template.endswith((".jinja", ".j2")):
        try:
            return Path(template).read_text(encoding="utf-8"), template
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError("rendering.template_file", file=template, reason=error) from error
    name = folder.name if folder is not None else type(tokenizer).__name__
    if not own:
        raise ConfigError("rendering.no_template", model=name)
    return str(own), name
