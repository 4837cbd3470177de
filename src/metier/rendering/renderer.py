"""Messages → token ids, loss mask and stop ids: one place for preview, training, generation and all to come.

The rule that everything here keeps: **an example begins with exactly the ids that `prompt` gives for the same messages
and settings, and the loss lies on exactly the ids that generation has to append, end token included.** Prompt and
answer are therefore tokenised apart. Where tokenising both at once would merge characters over the boundary, what
generation sees wins. Answers of one conversation share an example only if the later prompt's ids begin with the
example so far; where the template rewrites earlier turns (Qwen3, DeepSeek), each answer is an example of its own.

How prompts and answers are found, and what `enable_thinking` does, stands in `metier.rendering.turns`; what happens
when `cutoff_len` is too small, in `metier.rendering.budget`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from metier.core.errors import ConfigError, DataError, UserError
from metier.data.messages import Conversation, ImagePart, Message, Part
from metier.rendering.budget import fit
from metier.rendering.encoding import Encoder
from metier.rendering.eyes.base import Eyes
from metier.rendering.sandbox import TemplateFailure
from metier.rendering.template import ChatTemplate, Refused
from metier.rendering.turns import Turn, Turns, row_error

NO_LOSS = -100
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Example:
    """One row of training.

    row: of the conversation; labels: as `input_ids`, -100 where there is no loss, not shifted; truncated: tokens cut
    out of the user's text and off the answer's end; answer_truncated: the answer's end is missing (callers refuse
    it unless allowed); dropped_turns: oldest turns left out; pictures: in the order of their tokens.
    """

    row: int
    input_ids: list[int]
    labels: list[int]
    truncated: int = 0
    answer_truncated: bool = False
    dropped_turns: int = 0
    pictures: tuple[ImagePart, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model sees before it answers. text: with one placeholder a picture, of which `input_ids` may have many
    tokens; dropped_turns: oldest turns left out; truncated: tokens cut out of the last user's text, to fit a budget;
    pictures: in the order of their tokens."""

    text: str
    input_ids: list[int]
    dropped_turns: int = 0
    truncated: int = 0
    pictures: tuple[ImagePart, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of an example as text, for preview. loss: whether it is learnt."""

    text: str
    loss: bool


class Renderer:
    """Renders for one model.

    tokenizer: of transformers; template: as `load_renderer` found it; declared_stops: end tokens that the model's
    files name; eyes: of a model that takes pictures. Attributes: `stop_ids`, at which generation ends (the declared
    ones and the template's end of turn); `pad_id`.
    Raises ConfigError for a template or tokenizer that cannot work.
    """

    def __init__(
        self, tokenizer: Any, template: ChatTemplate, declared_stops: Sequence[int] = (), *, eyes: Eyes | None = None
    ) -> None:
        self.tokenizer = tokenizer
        self.template = template
        self.eyes = eyes
        self.encoder = Encoder(tokenizer)
        self._turns = Turns(template, self.encoder)
        end = self._turns.end
        end_id = self.encoder.encode(end)[-1] if end else tokenizer.eos_token_id
        if end_id is None and not declared_stops:
            raise ConfigError("rendering.no_eos", template=template.name)
        self._end_ids: list[int] = [] if end else [end_id if end_id is not None else declared_stops[0]]
        found = [] if end_id is None else [int(end_id)]
        self.stop_ids: tuple[int, ...] = tuple(dict.fromkeys([*found, *declared_stops]))
        self.pad_id: int = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else self.stop_ids[0]
        self._stops = frozenset(self.stop_ids)

    @property
    def takes_images(self) -> bool:
        """Whether messages may hold pictures."""
        return self.eyes is not None and self.template.shape.takes_images

    def image_tokens(self, pictures: Iterable[Part]) -> int:
        """Tokens that the pictures among some parts take in a prompt; 0 where the model takes none."""
        if self.eyes is None:
            return 0
        written = [self.eyes.written(part) for part in pictures if isinstance(part, ImagePart)]
        return sum(len(self.encoder.encode(text)) for text in written)

    def prompt(
        self, messages: Sequence[Message], *, cutoff_len: int | None = None, enable_thinking: bool | None = None
    ) -> Prompt:
        """The prompt for `messages`, with the opening of an answer.

        cutoff_len: most tokens it may have; then the oldest turns are dropped first, see `metier.rendering.budget`.
        Raises DataError if the template does not take the messages, or the budget is too small for anything.
        """
        try:
            prompt = self._fitted(messages, cutoff_len, enable_thinking)
        except (TemplateFailure, Refused) as error:
            raise row_error(error, self.template, None) from error
        if cutoff_len is not None and len(prompt.input_ids) > cutoff_len:
            key = "rendering.budget_pictures" if prompt.pictures else "rendering.budget"
            raise ConfigError(key, cutoff_len=cutoff_len, tokens=len(prompt.input_ids), pictures=len(prompt.pictures))
        return prompt

    def examples(
        self,
        conversation: Conversation,
        *,
        cutoff_len: int | None = None,
        train_on_history: bool = False,
        enable_thinking: bool | None = None,
    ) -> list[Example]:
        """The training rows of one conversation.

        cutoff_len: most tokens an example may have; train_on_history: loss on every answer, not on the last alone.
        Raises DataError naming row, template and reason for what cannot be rendered.
        """
        options = _Options(cutoff_len, train_on_history, enable_thinking)
        return self._assemble(conversation, self._texts(conversation, options), options)

    def examples_many(
        self,
        conversations: Iterable[Conversation],
        *,
        cutoff_len: int | None = None,
        train_on_history: bool = False,
        enable_thinking: bool | None = None,
        on_error: Callable[[Conversation, UserError], None] | None = None,
    ) -> Iterator[list[Example]]:
        """`examples` of each conversation in order, several times faster: texts are tokenised together.

        on_error: called with each conversation that `examples` would raise for, which then yields an empty list;
        without it the first error is raised when its conversation's turn comes.
        """
        options = _Options(cutoff_len, train_on_history, enable_thinking)
        waiting = iter(conversations)
        while chunk := list(islice(waiting, _CHUNK)):
            rendered = [self._attempt(lambda c=one: self._texts(c, options)) for one in chunk]  # type: ignore[misc]
            self.encoder.prepare(
                text
                for turns in rendered
                if not isinstance(turns, UserError)
                for answer in turns
                for text in (answer.prompt, answer.turn.completion)
            )
            for one, turns in zip(chunk, rendered, strict=True):
                result = turns
                if not isinstance(result, UserError):
                    texts = result
                    result = self._attempt(lambda c=one, t=texts: self._assemble(c, t, options))  # type: ignore[misc]
                if not isinstance(result, UserError):
                    yield result
                elif on_error is None:
                    raise result
                else:
                    on_error(one, result)
                    yield []

    def decode(self, ids: Sequence[int]) -> str:
        """Generated text, without stop tokens and special tokens, every character as it was generated."""
        return self.encoder.decode([i for i in ids if i not in self._stops])

    def segments(self, example: Example) -> list[Segment]:
        """An example as text, cut where the loss begins and ends. Special tokens are shown."""
        segments: list[Segment] = []
        start = 0
        for end in range(1, len(example.input_ids) + 1):
            loss = example.labels[start] != NO_LOSS
            if end == len(example.input_ids) or (example.labels[end] != NO_LOSS) != loss:
                text = self.encoder.decode(example.input_ids[start:end], skip_special_tokens=False)
                segments.append(Segment(text, loss))
                start = end
        return segments

    def _attempt(self, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except UserError as error:
            return error

    def _texts(self, conversation: Conversation, options: _Options) -> list[_Answer]:
        """Each answer that is learnt, as text."""
        answers = [i for i, turn in enumerate(conversation.messages) if turn.role == "assistant"]
        if not answers:
            raise DataError("rendering.no_answer", row=conversation.row)
        learnt = answers if options.train_on_history else answers[-1:]
        try:
            return [self._answer(conversation.messages, i, options) for i in learnt]
        except (TemplateFailure, Refused) as error:
            raise row_error(error, self.template, conversation.row) from error

    def _answer(self, messages: Sequence[Message], index: int, options: _Options) -> _Answer:
        history, answer = messages[:index], messages[index]
        if answer.images:
            raise Refused("rendering.reason_picture_answered")
        turn = self._turns.turn(history, answer, options.enable_thinking)
        pictures = _pictures(history)
        if self.eyes is not None and self.eyes.placeholder in turn.completion:
            raise Refused("rendering.reason_placeholder")
        return _Answer(index, turn, self._expanded(turn.prompt, pictures), pictures)

    def _expanded(self, text: str, pictures: Sequence[ImagePart]) -> str:
        """The text whose tokens the model sees: with all tokens of each picture."""
        return text if self.eyes is None else self.eyes.expand(text, pictures)

    def _completion_ids(self, row: int, answer: _Answer) -> list[int]:
        ids = self.encoder.continuation(answer.prompt, answer.turn.completion) + self._end_ids
        if not self._stops.isdisjoint(ids[:-1]):
            stop = next(i for i in ids if i in self._stops)
            token = self.encoder.decode([stop], skip_special_tokens=False)
            raise DataError("rendering.stop_inside", row=row, token=token)
        return ids

    def _assemble(self, conversation: Conversation, answers: list[_Answer], options: _Options) -> list[Example]:
        examples: list[Example] = []
        so_far = ""
        for answer in answers:
            turn = answer.turn
            prompt_ids = self.encoder.encode(answer.prompt)
            answer_ids = self._completion_ids(conversation.row, answer)
            fits = options.cutoff_len is None or len(prompt_ids) + len(answer_ids) <= options.cutoff_len
            last = examples[-1] if examples else None
            if (
                last is not None
                and fits
                and self._turns.end
                and turn.prompt.startswith(so_far)
                and prompt_ids[: len(last.input_ids)] == last.input_ids
            ):
                between = prompt_ids[len(last.input_ids) :]
                last.input_ids.extend([*between, *answer_ids])
                last.labels.extend([*[NO_LOSS] * len(between), *answer_ids])
                examples[-1] = replace(last, pictures=answer.pictures)
            elif fits:
                labels = [*[NO_LOSS] * len(prompt_ids), *answer_ids]
                ids = [*prompt_ids, *answer_ids]
                examples.append(Example(conversation.row, ids, labels, pictures=answer.pictures))
            else:
                history = conversation.messages[: answer.index]
                examples.append(self._shortened(conversation.row, history, prompt_ids, answer_ids, options))
            so_far = turn.prompt + turn.completion
        return examples

    def _shortened(
        self, row: int, history: Sequence[Message], prompt_ids: list[int], answer_ids: list[int], options: _Options
    ) -> Example:
        """An example cut down to `cutoff_len`: the prompt to half of it if need be, then the answer's end."""
        limit = options.cutoff_len or 0
        budget = max(limit - len(answer_ids), min(len(prompt_ids), limit // 2))
        try:
            prompt = self._fitted(history, budget, options.enable_thinking)
        except (TemplateFailure, Refused) as error:
            raise row_error(error, self.template, row) from error
        room = limit - len(prompt.input_ids)
        if room < 1:
            key = "rendering.budget_pictures_row" if prompt.pictures else "rendering.budget_row"
            tokens, pictures = len(prompt.input_ids), len(prompt.pictures)
            raise DataError(key, row=row, cutoff_len=limit, tokens=tokens, pictures=pictures)
        kept = answer_ids[:room]
        return Example(
            row,
            [*prompt.input_ids, *kept],
            [*[NO_LOSS] * len(prompt.input_ids), *kept],
            truncated=prompt.truncated + len(answer_ids) - len(kept),
            answer_truncated=len(kept) < len(answer_ids),
            dropped_turns=prompt.dropped_turns,
            pictures=prompt.pictures,
        )

    def _fitted(self, messages: Sequence[Message], budget: int | None, enable_thinking: bool | None) -> Prompt:
        def render(turns: Sequence[Message]) -> tuple[str, list[int]]:
            text = self._turns.prompt(turns, enable_thinking)
            return text, self.encoder.encode(self._expanded(text, _pictures(turns)))

        fitted = fit(messages, budget, render)
        pictures = _pictures(fitted.messages)
        return Prompt(fitted.text, fitted.input_ids, fitted.dropped_turns, fitted.truncated, pictures)


def _pictures(messages: Iterable[Message]) -> tuple[ImagePart, ...]:
    return tuple(picture for turn in messages for picture in turn.images)


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer that is learnt. index: of its message; prompt: the turn's, with all tokens of its pictures."""

    index: int
    turn: Turn
    prompt: str
    pictures: tuple[ImagePart, ...]


@dataclass(frozen=True, slots=True)
class _Options:
    cutoff_len: int | None
    train_on_history: bool
    enable_thinking: bool | None
