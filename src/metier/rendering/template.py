"""A model's chat template, and what it can do: found by asking it, not by knowing its name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metier.core.errors import ConfigError
from metier.data.messages import Message, Part, TextPart, message
from metier.rendering.sandbox import TemplateFailure, compile_template, render
from metier.rendering.thinking import CLOSING, OPENING

# Words that no template contains, so that what stands around them is the template's own.
_USER, _ANSWER, _SYSTEM = "qzu1 probe", "qza2 probe", "qzs3 probe"
_EMPTY_THINKING = re.compile(re.escape(OPENING) + r"\s*" + re.escape(CLOSING))


class Refused(Exception):  # noqa: N818  becomes a DataError with the row
    """What was given and the template do not fit; `reason` is a key of this package's texts."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Shape:
    """What a probe found.

    takes_text / takes_parts: content as a string / as a list of parts; takes_system: a system message appears in the
    text; header: what has to be added to a prompt because the template ignores `add_generation_prompt` ("" mostly);
    tail: all that follows an answer at the end of a conversation, such as `<|im_end|>` and a line break; None if the
    template does not show answers; takes_images: a picture among the parts becomes one placeholder;
    takes_system_with_images: a system message may stand in a conversation that has pictures.
    """

    takes_text: bool
    takes_parts: bool
    takes_system: bool
    header: str
    tail: str | None
    takes_images: bool = False
    takes_system_with_images: bool = False


class ChatTemplate:
    """Renders messages with a Jinja chat template.

    source: the template; variables: `bos_token` and the other special tokens; name: how errors call it; placeholder:
    what it writes for a picture, if its model takes any; blind: the key of the reason why pictures are refused.
    Raises ConfigError if it cannot be compiled or does not show what a user says.
    """

    def __init__(
        self,
        source: str,
        variables: Mapping[str, Any],
        *,
        name: str,
        placeholder: str | None = None,
        blind: str = "rendering.reason_image",
    ) -> None:
        self.name = name
        self.source = source
        self.placeholder = placeholder
        self.blind = blind
        self._variables = dict(variables)
        try:
            self._compiled = compile_template(source)
        except TemplateFailure as error:
            raise ConfigError("rendering.bad_template", template=name, reason=error) from error
        self.shape = self._probe()

    def text(
        self, messages: Sequence[Message], *, generation: bool = False, enable_thinking: bool | None = None
    ) -> str:
        """The rendered text, with the opening of an answer if `generation`. Raises TemplateFailure, Refused."""
        contents = [{"role": turn.role, "content": self._content(turn)} for turn in self._fold(messages)]
        text = self._render(contents, generation, enable_thinking)
        return text + self.shape.header if generation else text

    def _render(
        self, contents: list[dict[str, Any]], generation: bool = False, enable_thinking: bool | None = None
    ) -> str:
        # `thinking` is DeepSeek V3.1's name for the same switch. Undefined means: as the template does by itself.
        switch = {} if enable_thinking is None else {"enable_thinking": enable_thinking, "thinking": enable_thinking}
        return render(self._compiled, contents, add_generation_prompt=generation, **self._variables, **switch)

    def _content(self, turn: Message) -> Any:
        """Plain text where the template takes it; parts where it takes only these, or there are several."""
        if turn.images and not self.shape.takes_images:
            raise Refused(self.blind)
        if turn.images:
            return [_part(part) for part in turn.parts]
        if self.shape.takes_parts and (not self.shape.takes_text or len(turn.parts) > 1):
            return [{"type": "text", "text": part.text} for part in turn.parts if isinstance(part, TextPart)]
        return turn.text

    def _fold(self, messages: Sequence[Message]) -> list[Message]:
        """Puts system messages before the first user message's text, an empty line between, if there is no such role.

        That is what Gemma 3's own template does; Gemma 2's refuses the role, Llama 3.2's beside pictures.
        """
        pictured = any(turn.images for turn in messages)
        takes_system = self.shape.takes_system_with_images if pictured else self.shape.takes_system
        if takes_system or not any(turn.role == "system" for turn in messages):
            return list(messages)
        system = "\n\n".join(turn.text for turn in messages if turn.role == "system")
        rest = [turn for turn in messages if turn.role != "system"]
        for index, turn in enumerate(rest):
            if turn.role == "user":
                pictures = next((at for at, part in enumerate(turn.parts) if isinstance(part, TextPart)), 0)
                # Pictures that stand first stay first: models have learnt to look before they read.
                parts = (*turn.parts[:pictures], TextPart(f"{system}\n\n"), *turn.parts[pictures:])
                rest[index] = Message("user", parts)
                if self.shape.takes_text and not turn.images:
                    rest[index] = message("user", f"{system}\n\n{turn.text}")
                return rest
        return [message("user", system), *rest]

    def _probe(self) -> Shape:
        def try_render(turns: Sequence[tuple[str, Any]], generation: bool = False) -> str:
            try:
                return self._render([{"role": role, "content": content} for role, content in turns], generation)
            except TemplateFailure as error:
                failures.append(str(error))
                return ""

        failures: list[str] = []
        takes_text = _USER in try_render([("user", _USER)])
        as_parts = try_render([("user", [{"type": "text", "text": _USER}])])
        takes_parts = _USER in as_parts and "'text'" not in as_parts and '"text"' not in as_parts
        if not takes_text and not takes_parts:
            reason = failures[0] if failures else "it does not show a user's message"
            raise ConfigError("rendering.bad_template", template=self.name, reason=reason)

        def content(text: str) -> Any:
            return text if takes_text else [{"type": "text", "text": text}]

        user, answer = ("user", content(_USER)), ("assistant", content(_ANSWER))
        takes_system = _SYSTEM in try_render([("system", content(_SYSTEM)), user])
        whole, prompt = try_render([user, answer]), try_render([user])
        before, found, tail = whole.rpartition(_ANSWER)
        header = ""
        if found and try_render([user], generation=True) == prompt and before.startswith(prompt):
            header = _EMPTY_THINKING.sub("", before[len(prompt) :])
        pictured = ("user", [{"type": "image"}, {"type": "text", "text": _USER}])
        takes_images = takes_parts and self._shows_picture(try_render([pictured]))
        beside = try_render([("system", content(_SYSTEM)), pictured]) if takes_images else ""
        return Shape(
            takes_text,
            takes_parts,
            takes_system,
            header if header.strip() else "",
            tail if found else None,
            takes_images,
            _SYSTEM in beside and self._shows_picture(beside),
        )

    def _shows_picture(self, text: str) -> bool:
        return bool(self.placeholder) and text.count(self.placeholder or "") == 1 and _USER in text


def _part(part: Part) -> dict[str, str]:
    return {"type": "text", "text": part.text} if isinstance(part, TextPart) else {"type": "image"}
