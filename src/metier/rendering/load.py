"""Finds a model's tokenizer, template and end tokens."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from metier.core.errors import ConfigError
from metier.core.registry import nearest
from metier.core.yamltext import parse_yaml
from metier.rendering.encoding import declared_stop_ids
from metier.rendering.eyes import Eyes, load_eyes
from metier.rendering.renderer import Renderer
from metier.rendering.template import ChatTemplate

if TYPE_CHECKING:
    from metier.models import ResolvedModel

_PACKAGE = Path(__file__).parent


def load_renderer(resolved: ResolvedModel, *, template: str | None = None) -> Renderer:
    """The renderer of a model.

    template: None takes the model's own; a `.jinja` file replaces it; the name of a family (`llama3`, `qwen3`, …)
    takes the model's own too, after checking that it is of that family, or ours if a base model has none.
    Raises ConfigError if there is no template or it does not fit, ModelError if there is no tokenizer.
    """
    from metier.models import load_tokenizer

    return make_renderer(load_tokenizer(resolved), folder=resolved.folder, template=template)


def make_renderer(tokenizer: Any, *, folder: Path | None = None, template: str | None = None) -> Renderer:
    """The renderer for a tokenizer of transformers; folder: the model's, with its end tokens and image processor."""
    source, name = _template(tokenizer, folder, template)
    variables = {key: str(value) for key, value in tokenizer.special_tokens_map.items() if isinstance(value, str)}
    found = load_eyes(folder, tokenizer)
    eyes = found if isinstance(found, Eyes) else None
    chat = ChatTemplate(
        source,
        variables,
        name=name,
        placeholder=eyes.placeholder if eyes else None,
        blind=found if isinstance(found, str) else "rendering.reason_image",
    )
    return Renderer(tokenizer, chat, declared_stop_ids(tokenizer, folder), eyes=eyes)


def _template(tokenizer: Any, folder: Path | None, template: str | None) -> tuple[str, str]:
    """Source and name of the template to use."""
    name = folder.name if folder is not None else type(tokenizer).__name__
    own = _processors_template(folder) or tokenizer.chat_template
    if isinstance(own, dict):
        own = own.get("default")
    if template is not None and template.endswith((".jinja", ".j2")):
        return _read(Path(template)), template
    if template is not None:
        return _of_family(tokenizer, own, template, name)
    if not own:
        raise ConfigError("rendering.no_template", model=name)
    return str(own), name


def _processors_template(folder: Path | None) -> str | None:
    """The template that a vision model's processor brings in a file of its own, beside its tokenizer's."""
    path = folder / "chat_template.json" if folder is not None else None
    if path is None or not path.is_file():
        return None
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["chat_template"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError("rendering.template_file", file=path, reason=error) from error


def _of_family(tokenizer: Any, own: str | None, family: str, model: str) -> tuple[str, str]:
    """The model's own template if it is of `family`; ours if it has none but knows the family's token."""
    known = families()
    if family not in known:
        raise ConfigError(
            "core.unknown_name", kind="template", name=family, known=", ".join(known), hint=nearest(family, list(known))
        )
    mark, file = known[family]["mark"], known[family].get("file")
    if own and mark in own:
        return str(own), model
    if not own and file and mark in tokenizer.get_vocab():
        return _read(_PACKAGE / "templates" / file), family
    raise ConfigError("rendering.other_family", model=model, template=family, mark=mark)


@cache
def families() -> dict[str, dict[str, str]]:
    """The names that `--template` knows: `mark` and perhaps `file` of each, from `families.yaml`."""
    text = (_PACKAGE / "families.yaml").read_text(encoding="utf-8")
    return cast("dict[str, dict[str, str]]", parse_yaml(text))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("rendering.template_file", file=file, reason=error) from error
