"""Conversations → the questions that are put to the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metier.core.events import EventLog
from metier.core.files import sha256_text
from metier.core.i18n import translate
from metier.predict.spec import PredictSpec

if TYPE_CHECKING:
    from metier.data import Conversation
    from metier.engines import Engine
    from metier.rendering import Prompt


@dataclass(frozen=True, slots=True)
class Question:
    """One row to answer. id: 0-based; row: 1-based in the source file; label: the published answer."""

    id: int
    row: int
    prompt: Prompt
    label: str
    prompt_sha256: str
    meta: dict[str, Any]


def read_questions(
    conversations: Sequence[Conversation], engine: Engine, spec: PredictSpec, events: EventLog
) -> list[Question]:
    """Renders each conversation up to its last answer; warns once where prompts had to be shortened."""
    questions = [_question(id, conversation, engine, spec) for id, conversation in enumerate(conversations)]
    shortened = [question.row for question in questions if question.prompt.dropped_turns]
    if shortened:
        fields = {"count": len(shortened), "cutoff_len": spec.cutoff_len, "row": shortened[0]}
        events.emit("warning", message=translate("predict.prompts_shortened", **fields), rows=shortened)
    return questions


def _question(id: int, conversation: Conversation, engine: Engine, spec: PredictSpec) -> Question:
    from metier.data import message

    messages = conversation.prompt
    if spec.system_prompt and not any(given.role == "system" for given in messages):
        messages = (message("system", spec.system_prompt), *messages)
    prompt = engine.renderer.prompt(messages, cutoff_len=spec.cutoff_len, enable_thinking=spec.enable_thinking)
    meta = dict(conversation.meta)
    return Question(id, conversation.row, prompt, conversation.label, sha256_text(prompt.text), meta)
