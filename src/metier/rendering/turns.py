"""One answer and the prompt before it, as text: where the loss begins and where it ends.

The answer is found by comparing rendered prefixes: the text of the messages before it, with the opening of an answer,
against the text with the answer. What is new is the answer and its end token. So it is right for any template.

**Thinking.** An answer may hold `<think>…</think>` before its own words. `enable_thinking` says what becomes of it:

- `None`: as the data has it and as the template does by itself. Thinking that is in the data has loss. Where the
  template shows an empty block for an answer without thinking (Qwen3), or its prompt has opened a block (DeepSeek's
  distills), that empty block is part of the answer: generation from the same prompt has to produce it too.
- `True`: the same, rendered with the template's switch turned on.
- `False`: thinking is taken out of every answer, and the prompt gets the template's form for answering at once
  (Qwen3's empty block). Where the template has no such switch but opens a block (DeepSeek), the prompt closes it.

A template that drops thinking even from the last answer (DeepSeek) is not allowed to lose it: the answer is then
written after the prompt as the model would generate it, `<think>` (unless the prompt opened it), the thinking,
`</think>`, an empty line, the answer, the end token. Earlier turns keep what the template leaves of them, as in use.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from metier.core.errors import ConfigError, DataError
from metier.core.i18n import translate
from metier.data.messages import Message, message
from metier.rendering.encoding import Encoder
from metier.rendering.sandbox import TemplateFailure
from metier.rendering.template import ChatTemplate, Refused
from metier.rendering.thinking import CLOSING, OPENING, opens_thinking, split_thinking

_OPENING_AT_END = re.compile(re.escape(OPENING) + r"\s*\Z")


@dataclass(frozen=True, slots=True)
class Turn:
    """prompt: all text before the answer; completion: the answer with its end token's text, which carry the loss."""

    prompt: str
    completion: str


class Turns:
    """Makes prompts and turns with `template`; `encoder` knows which texts are tokens of their own."""

    def __init__(self, template: ChatTemplate, encoder: Encoder) -> None:
        self.template = template
        self._tail = template.shape.tail or ""
        self.end = _end_of(template, encoder)

    def prompt(self, messages: Sequence[Message], enable_thinking: bool | None) -> str:
        """The text that an answer to `messages` follows."""
        text = self.template.text(
            _thoughts(messages, enable_thinking), generation=True, enable_thinking=enable_thinking
        )
        return _closed(text) if enable_thinking is False and opens_thinking(text) else text

    def turn(self, messages: Sequence[Message], answer: Message, enable_thinking: bool | None) -> Turn:
        """The prompt of `messages` and the completion for `answer`. Raises Refused, TemplateFailure, ConfigError."""
        if self.end is None:
            raise ConfigError("rendering.no_end", template=self.template.name)
        history = _thoughts(messages, enable_thinking)
        thinking, words = split_thinking(answer.text)
        prompt = self.prompt(messages, enable_thinking)
        if enable_thinking is False:
            thinking, answer = None, message("assistant", words)
        written = self._written(prompt, history, answer, enable_thinking)
        if written is not None and _holds(written, thinking, words):
            return Turn(prompt, written + self.end)
        return Turn(prompt, self._composed(prompt, history, thinking, words, enable_thinking) + self.end)

    def _written(
        self, prompt: str, history: Sequence[Message], answer: Message, enable_thinking: bool | None
    ) -> str | None:
        """What the template writes for the answer after `prompt`, without its tail; None if it changes the prompt."""
        whole = self.template.text([*history, answer], enable_thinking=enable_thinking)
        if not whole.startswith(prompt):
            return None
        if not whole.endswith(self._tail) or len(whole) < len(prompt) + len(self._tail):
            raise Refused("rendering.reason_tail")
        return whole[len(prompt) : len(whole) - len(self._tail)]

    def _composed(
        self,
        prompt: str,
        history: Sequence[Message],
        thinking: str | None,
        words: str,
        enable_thinking: bool | None,
    ) -> str:
        """The answer as generation would write it, where the template leaves out its thinking. Raises Refused."""
        raw = self.template.text(history, generation=True, enable_thinking=enable_thinking)
        opened = opens_thinking(raw)
        start = _OPENING_AT_END.sub("", raw)
        plain = self._written(start, history, message("assistant", words), enable_thinking)
        if plain is None:
            raise Refused("rendering.reason_rewrites")
        if not _holds(plain, None, words):
            raise Refused("rendering.reason_changes")
        _, words = split_thinking(plain) if OPENING in plain else (None, plain)
        if enable_thinking is False and opened:
            return words
        if opened:
            return f"{thinking or ''}\n{CLOSING}\n\n{words}"
        if thinking is None:
            raise Refused("rendering.reason_changes")
        return f"{OPENING}\n{thinking}\n{CLOSING}\n\n{words}"


def _thoughts(messages: Sequence[Message], enable_thinking: bool | None) -> list[Message]:
    """`messages`, without thinking in their answers if it is turned off."""
    if enable_thinking is not False:
        return list(messages)
    return [_answer_alone(turn) for turn in messages]


def _answer_alone(turn: Message) -> Message:
    if turn.role != "assistant" or CLOSING not in turn.text:
        return turn
    return message("assistant", split_thinking(turn.text)[1])


def _closed(prompt: str) -> str:
    """`prompt`, which opened a thinking block, with the block closed at once."""
    return _OPENING_AT_END.sub(f"{OPENING}\n\n{CLOSING}\n\n", prompt)


def _holds(written: str, thinking: str | None, words: str) -> bool:
    """Whether `written` is thinking and words, and nothing else but tags of an (empty) block and space."""
    before, found, after = written.rpartition(words.strip())
    if not found and words.strip():
        return False
    if not words.strip():
        before, after = written, ""
    rest = before
    if thinking is not None and thinking.strip():
        if thinking.strip() not in rest:
            return False
        rest = rest.replace(thinking.strip(), "", 1)
    rest = rest.replace(OPENING, "", 1).replace(CLOSING, "", 1)
    return not rest.strip() and not after.strip()


def _end_of(template: ChatTemplate, encoder: Encoder) -> str | None:
    """The text of the end token, with space that the template puts before it.

    "" if the template ends an answer with nothing but space (then the tokenizer's end token is put there); None if
    it shows no answers, or writes words of its own after them, which a model would have to be taught to say.
    """
    tail = template.shape.tail
    if tail is None:
        return None
    span = encoder.first_added(tail)
    if span is None:
        return "" if not tail.strip() else None
    return tail[: span[1]] if not tail[: span[0]].strip() else None


def row_error(error: TemplateFailure | Refused, template: ChatTemplate, row: int | None) -> DataError:
    """The user's error for a conversation that the template does not take."""
    if isinstance(error, Refused):
        reason: object = translate(error.reason)
    else:
        reason = error
    if row is None:
        return DataError("rendering.refused", template=template.name, reason=reason)
    return DataError("rendering.refused_row", template=template.name, row=row, reason=reason)
