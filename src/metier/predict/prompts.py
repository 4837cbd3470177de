"""Conversations → the questions that are put to the model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metier.core.errors import DataError, UserError
from metier.core.events import EventLog
from metier.core.files import sha256_text
from metier.core.i18n import has_text, translate
from metier.data.messages import Conversation, message
from metier.data.pictures import read_picture
from metier.engines import prompt_budget
from metier.predict.spec import PredictSpec

if TYPE_CHECKING:
    from metier.engines import Engine
    from metier.rendering import Prompt


@dataclass(frozen=True, slots=True)
class Question:
    """One row to answer. id: 0-based; row: 1-based in the source file; label: the published answer; prompt_sha256: of
    the prompt's text and pictures; images: of the prompt, each its path, or the sha256 of what has none."""

    id: int
    row: int
    prompt: Prompt
    label: str
    prompt_sha256: str
    meta: dict[str, Any]
    images: tuple[str, ...] = ()


def read_questions(
    conversations: Sequence[Conversation], engine: Engine, spec: PredictSpec, events: EventLog
) -> list[Question]:
    """Renders each conversation up to its last answer; warns once where prompts had to be shortened."""
    questions = [_question(id, conversation, engine, spec) for id, conversation in enumerate(conversations)]
    shortened = [question.row for question in questions if question.prompt.dropped_turns or question.prompt.truncated]
    if shortened:
        text = translate(
            "predict.prompts_shortened", count=len(shortened), cutoff_len=spec.cutoff_len, row=shortened[0]
        )
        events.emit("warning", message=text, rows=shortened)
    return questions


def _question(id: int, conversation: Conversation, engine: Engine, spec: PredictSpec) -> Question:
    messages = conversation.prompt
    if spec.system_prompt and not any(given.role == "system" for given in messages):
        messages = (message("system", spec.system_prompt), *messages)
    budget = min(spec.cutoff_len, prompt_budget(engine.context_length, spec.max_new_tokens))
    try:
        prompt = engine.renderer.prompt(messages, cutoff_len=budget, enable_thinking=spec.enable_thinking)
    except UserError as error:
        # The renderer does not know of rows; its messages have a form that names one.
        key = f"{error.key}_row"
        if not has_text(key):
            raise
        raise DataError(key, row=conversation.row, **error.fields) from error
    hashes = [hashlib.sha256(read_picture(picture)).hexdigest() for picture in prompt.pictures]
    images = tuple(picture.path or digest for picture, digest in zip(prompt.pictures, hashes, strict=True))
    identity = sha256_text("\0".join([prompt.text, *hashes]))
    return Question(id, conversation.row, prompt, conversation.label, identity, dict(conversation.meta), images)
