"""Messages → token ids, loss mask and stop ids, the same for preview, training and generation.

**Loss is on answers only**, found by comparing rendered prefixes: the text up to an answer is what the model sees when
it is asked; the answer is what the template adds when the assistant's turn is rendered too, up to and with its end
token. Prompt and answer are tokenised apart, so that training ids begin with exactly the ids of generation; where
joint tokenisation would differ, generation wins.

**Earlier turns.** Where the rendering of all turns extends the rendering of fewer turns, one conversation is one
example. Where a template rewrites earlier turns (Qwen3, DeepSeek), each answer is an example of its own, after the
prompt that generation would give. An answer that the template neither keeps nor rewrites in a known way is refused.

**Thinking** (`enable_thinking`): None: as the data has it; True: likewise, with the template's thinking prompt; False:
thinking is taken out of answers and the template's form without thinking is used. A template that drops thinking from
rendered answers does not lose it here: the answer is then composed from the prompt, the text and the end token. Where
the prompt already opens `<think>`, an answer's own opening is not repeated, and an answer without thinking closes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from metier.core.errors import DataError
from metier.data.messages import Conversation, Message, message
from metier.models import ResolvedModel, load_tokenizer
from metier.rendering.template import ChatTemplate
from metier.rendering.thinking import CLOSE, OPEN, split_thinking

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100


@dataclass(frozen=True, slots=True)
class Example:
    """What is learnt from. input_ids, labels: [tokens], labels not shifted and -100 where there is no loss;
    truncated: tokens cut off; dropped_turns: messages left out to fit."""

    row: int
    input_ids: list[int]
    labels: list[int]
    truncated: int = 0
    answer_truncated: bool = False
    dropped_turns: int = 0


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked. dropped_turns: messages left out to fit; cut_characters: cut from the last user text."""

    text: str
    input_ids: list[int]
    dropped_turns: int = 0
    cut_characters: int = 0


class Renderer:
    """Renders for one model. stop_ids: tokens that end an answer; pad_id: for batches."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, name: str = "model", extra_stop_ids: Sequence[int] = ()
    ) -> None:
        self.tokenizer = tokenizer
        self.template = ChatTemplate(tokenizer, name)
        end = self._ids(self.template.answer_end)[-1:] if self.template.answer_end.strip() else []
        known = [tokenizer.eos_token_id, *extra_stop_ids, *end]
        self.stop_ids: tuple[int, ...] = tuple(sorted({int(i) for i in known if isinstance(i, int)}))
        pad = tokenizer.pad_token_id
        self.pad_id = int(pad) if isinstance(pad, int) else (self.stop_ids[0] if self.stop_ids else 0)

    def examples(
        self,
        conversation: Conversation,
        *,
        cutoff_len: int | None = None,
        train_on_history: bool = False,
        enable_thinking: bool | None = None,
    ) -> list[Example]:
        """The examples of one conversation: one, or one an answer (see the module's rules)."""
        messages = [_without_thinking(m) for m in conversation.messages] if enable_thinking is False else None
        turns = list(messages or conversation.messages)
        answers = [i for i, turn in enumerate(turns) if turn.role == "assistant"]
        if not answers:
            raise DataError("rendering.no_answer", row=conversation.row)
        wanted = answers if train_on_history else answers[-1:]
        pieces = [self._pair(turns[: i + 1], conversation.row, enable_thinking) for i in wanted]
        if len(pieces) > 1 and all(_extends(a, b) for a, b in zip(pieces, pieces[1:], strict=False)):
            example = self._joined(conversation.row, pieces)
            if cutoff_len is None or len(example.input_ids) <= cutoff_len:
                return [example]
        return [
            self._fit(turns[: i + 1], piece, conversation.row, cutoff_len, enable_thinking)
            for i, piece in zip(wanted, pieces, strict=True)
        ]

    def prompt(
        self, messages: Sequence[Message], *, cutoff_len: int | None = None, enable_thinking: bool | None = None
    ) -> Prompt:
        """The prompt for the next answer. Too long for `cutoff_len`: the oldest turns are dropped (never the system
        text or the last user turn), then the end of the last user text is cut; the result says how much."""
        turns, dropped = list(messages), 0
        while True:
            text = self._prompt_text(turns, enable_thinking)
            ids = self._ids(text)
            shorter = _without_oldest(turns) if cutoff_len is not None and len(ids) > cutoff_len else None
            if shorter is None:
                break
            dropped += len(turns) - len(shorter)
            turns = shorter
        if cutoff_len is None or len(ids) <= cutoff_len:
            return Prompt(text, ids, dropped)
        return self._cut_last(turns, cutoff_len, enable_thinking, dropped)

    def decode(self, ids: Sequence[int]) -> str:
        """Generated ids as text, without stop and special tokens."""
        kept = [int(i) for i in ids if i not in self.stop_ids]
        return str(self.tokenizer.decode(kept, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _prompt_text(self, turns: Sequence[Message], enable_thinking: bool | None) -> str:
        return self.template.render(self.template.plain(turns), answer_next=True, thinking=enable_thinking)

    def _pair(self, turns: Sequence[Message], row: int, enable_thinking: bool | None) -> tuple[str, str]:
        """Prompt text, and answer text up to its end token, of the last message of `turns`."""
        prompt = self._prompt_text(turns[:-1], enable_thinking)
        content, end = turns[-1].text, self.template.answer_end
        if turns[-1].role == "assistant" and not content.strip() and "tool_calls" not in turns[-1].to_openai():
            raise DataError("rendering.empty_answer", row=row)
        whole = self.template.render(self.template.plain(turns), answer_next=False, thinking=enable_thinking)
        thinking, answer = split_thinking(content)
        if whole.startswith(prompt) and not self.template.opens_thinking(prompt):
            added = whole[len(prompt) :]
            cut = added.rfind(end)
            if cut >= 0 and (thinking is None or thinking in added):
                return prompt, added[: cut + len(end)]
        if answer.strip() not in whole:
            raise DataError("rendering.answer_not_kept", name=self.template.name, row=row)
        return prompt, self._composed(prompt, content, thinking, answer) + end

    def _composed(self, prompt: str, content: str, thinking: str | None, answer: str) -> str:
        """The answer's text where the template would rewrite it."""
        if self.template.opens_thinking(prompt):
            if thinking is None:
                return f"\n{CLOSE}\n\n{answer}"
            return content[content.find(OPEN) + len(OPEN) :].lstrip("\n") if OPEN in content else content
        return answer if prompt.rstrip().endswith(CLOSE) else content

    def _joined(self, row: int, pieces: Sequence[tuple[str, str]]) -> Example:
        ids: list[int] = []
        labels: list[int] = []
        seen = 0
        for prompt, answer in pieces:
            between, own = self._ids(prompt[seen:]), self._ids(answer)
            ids += between + own
            labels += [IGNORED] * len(between) + own
            seen = len(prompt) + len(answer)
        return Example(row, ids, labels)

    def _fit(
        self,
        turns: Sequence[Message],
        piece: tuple[str, str],
        row: int,
        cutoff_len: int | None,
        enable_thinking: bool | None,
    ) -> Example:
        example, kept = self._joined(row, [piece]), list(turns)
        while cutoff_len is not None and len(example.input_ids) > cutoff_len:
            shorter = _without_oldest(kept[:-1])
            if shorter is None:
                break
            kept = [*shorter, kept[-1]]
            example = self._joined(row, [self._pair(kept, row, enable_thinking)])
        example = replace(example, dropped_turns=len(turns) - len(kept))
        over = len(example.input_ids) - cutoff_len if cutoff_len is not None else 0
        if cutoff_len is None or over <= 0:
            return example
        return replace(
            example,
            input_ids=example.input_ids[:cutoff_len],
            labels=example.labels[:cutoff_len],
            truncated=over,
            answer_truncated=True,
        )

    def _cut_last(self, turns: list[Message], limit: int, enable_thinking: bool | None, dropped: int) -> Prompt:
        """The longest beginning of the last user text with which the prompt fits, by bisection."""
        last = max((i for i, turn in enumerate(turns) if turn.role == "user"), default=len(turns) - 1)
        text = turns[last].text

        def attempt(length: int) -> tuple[str, list[int]]:
            shortened = [*turns[:last], message(turns[last].role, text[:length]), *turns[last + 1 :]]
            rendered = self._prompt_text(shortened, enable_thinking)
            return rendered, self._ids(rendered)

        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if len(attempt(middle)[1]) <= limit else (low, middle - 1)
        rendered, ids = attempt(low)
        if low == 0 or len(ids) > limit:
            raise DataError("rendering.no_room", limit=limit, tokens=len(ids))
        return Prompt(rendered, ids, dropped, len(text) - low)


def load_renderer(resolved: ResolvedModel, *, template: str | None = None) -> Renderer:
    """The renderer of a model. template: a chat template (Jinja text) to use instead of the model's own."""
    import json

    tokenizer = load_tokenizer(resolved)
    if template:
        tokenizer.chat_template = template
    path = resolved.folder / "generation_config.json"
    ends: Any = json.loads(path.read_text(encoding="utf-8")).get("eos_token_id") if path.is_file() else None
    stops = ends if isinstance(ends, list) else [ends]
    return Renderer(tokenizer, resolved.reference, [i for i in stops if isinstance(i, int)])


def _extends(earlier: tuple[str, str], later: tuple[str, str]) -> bool:
    return later[0].startswith(earlier[0] + earlier[1])


def _without_thinking(turn: Message) -> Message:
    thinking, answer = split_thinking(turn.text) if turn.role == "assistant" else (None, "")
    return turn if thinking is None else message("assistant", answer)


def _without_oldest(turns: Sequence[Message]) -> list[Message] | None:
    """`turns` without the oldest exchange; None where only the system text and the last user turn are left."""
    head = 1 if turns and turns[0].role == "system" else 0
    users = [i for i in range(head, len(turns)) if turns[i].role == "user"]
    return [*turns[:head], *turns[users[1] :]] if len(users) > 1 else None
