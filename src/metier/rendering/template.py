"""A chat template, probed once: what it accepts, how it opens and ends an answer, whether it rewrites earlier turns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from metier.core.errors import ConfigError, DataError
from metier.rendering.thinking import OPEN

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from metier.data.messages import Message

MAX_TEMPLATE = 200_000  # characters; published ones have at most some thousands
_PROBE = "Zq7probe"


class ChatTemplate:
    """The template of `tokenizer`; `name` stands in errors."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, name: str) -> None:
        template = tokenizer.chat_template
        if not isinstance(template, str) or not template:
            raise ConfigError("rendering.no_template", name=name)
        if len(template) > MAX_TEMPLATE:
            raise ConfigError("rendering.template_too_long", name=name, length=len(template), limit=MAX_TEMPLATE)
        self.tokenizer, self.name = tokenizer, name

    def render(self, messages: Sequence[dict[str, Any]], *, answer_next: bool, thinking: bool | None = None) -> str:
        """The text of `messages`, ending where the next answer begins if `answer_next`."""
        options: dict[str, Any] = {} if thinking is None else {"enable_thinking": thinking}
        try:
            text = self.tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=answer_next, **options
            )
        except Exception as error:  # a template raises whatever it likes; the boundary is here
            raise ConfigError("rendering.template_failed", name=self.name, problem=_line(error)) from error
        return str(text)

    def plain(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """Messages as this template wants them: texts flattened; a system text that the template refuses stands at
        the head of the first user turn."""
        rows = []
        for message in messages:
            row = dict(message.to_openai())
            row["content"] = message.text if not self.wants_parts else [{"type": "text", "text": message.text}]
            if any(not hasattr(part, "text") for part in message.parts):
                raise DataError("rendering.images", name=self.name)
            rows.append(row)
        if rows and rows[0]["role"] == "system" and not self.has_system:
            system, rows = rows[0], rows[1:]
            if rows and rows[0]["role"] == "user":
                joined = f"{_text(system['content'])}\n\n{_text(rows[0]['content'])}"
                rows[0] = {**rows[0], "content": self._content(joined)}
        return rows

    def _content(self, text: str) -> Any:
        return [{"type": "text", "text": text}] if self.wants_parts else text

    @cached_property
    def wants_parts(self) -> bool:
        """Whether texts must come as lists of parts: a plain string would be lost or refused."""
        try:
            return _PROBE not in self.render([{"role": "user", "content": _PROBE}], answer_next=False)
        except ConfigError:
            return True

    @cached_property
    def has_system(self) -> bool:
        """Whether a system message is accepted and shown."""
        system, user = self._content(_PROBE), self._content("x")
        try:
            text = self.render(
                [{"role": "system", "content": system}, {"role": "user", "content": user}], answer_next=True
            )
        except ConfigError:
            return False
        return _PROBE in text

    @cached_property
    def answer_end(self) -> str:
        """The special token that ends an answer, as text; the tokenizer's end token where the template writes none."""
        turns = [
            {"role": "user", "content": self._content("x")},
            {"role": "assistant", "content": self._content(_PROBE)},
        ]
        _, found, tail = self.render(turns, answer_next=False).rpartition(_PROBE)
        if not found:
            raise ConfigError("rendering.answer_lost", name=self.name)
        special = set(self.tokenizer.all_special_tokens) | set(self.tokenizer.get_added_vocab())
        starts = [token for token in special if token and tail.lstrip().startswith(token)]
        if starts:
            return tail[: len(tail) - len(tail.lstrip())] + max(starts, key=len)
        if tail.strip():
            return tail.rstrip("\n")
        return str(self.tokenizer.eos_token or "")

    def opens_thinking(self, prompt: str) -> bool:
        """Whether the prompt ends inside a thinking block that the model is to continue."""
        return prompt.rstrip().endswith(OPEN)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
