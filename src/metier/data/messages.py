"""One shape for all data: a conversation is a row of messages, a message a row of parts (text or image).

The shape follows OpenAI's chat messages with content parts. Thinking stays in the text as it was published:
`<think>…</think>` and then the answer.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of text, every character as in the file."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture, held in exactly one way: a local file, the encoded bytes (PNG, JPEG, …), or an address."""

    path: str | None = None
    data: bytes | None = None
    url: str | None = None

    def read(self) -> bytes:
        """The encoded bytes of a local picture. Raises OSError, or ValueError for a remote one (never fetched here)."""
        if self.data is not None:
            return self.data
        if self.path is None:
            raise ValueError(f"{self.url} is remote")
        return Path(self.path).read_bytes()


Part = TextPart | ImagePart


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `text` joins its text parts; images have no text."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def images(self) -> tuple[ImagePart, ...]:
        return tuple(part for part in self.parts if isinstance(part, ImagePart))

    def to_openai(self) -> dict[str, Any]:
        """The message as OpenAI's API takes it: plain string content if there is no image, else content parts."""
        if not self.images:
            return {"role": self.role, "content": self.text}
        return {"role": self.role, "content": [_part_to_openai(part) for part in self.parts]}


@dataclass(frozen=True, slots=True)
class Conversation:
    """One row of a set.

    row: 1-based number of the record in its file (header and blank lines not counted), named in errors and reports;
    meta: what is known beside the messages, such as `answer`, `kind`, `subject`, `tolerance`.
    """

    row: int
    messages: tuple[Message, ...]
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prompt(self) -> tuple[Message, ...]:
        """The messages before the last assistant message (all of them if there is none)."""
        for index in range(len(self.messages) - 1, -1, -1):
            if self.messages[index].role == "assistant":
                return self.messages[:index]
        return self.messages

    @property
    def label(self) -> str:
        """The text of the last assistant message, or an empty string."""
        for turn in reversed(self.messages):
            if turn.role == "assistant":
                return turn.text
        return ""


def message(role: Role, text: str) -> Message:
    """A message of one text part."""
    return Message(role, (TextPart(text),))


def _part_to_openai(part: Part) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    url = part.url or f"data:{_media_type(part)};base64,{base64.b64encode(part.read()).decode('ascii')}"
    return {"type": "image_url", "image_url": {"url": url}}


def _media_type(part: ImagePart) -> str:
    return "image/" + (picture_kind(part.read()) or "png")


def picture_kind(content: bytes) -> str | None:
    """`png`, `jpeg`, `gif`, `bmp`, `tiff` or `webp` by the first bytes, None for anything else."""
    for start, kind in _SIGNATURES.items():
        if content.startswith(start):
            return kind
    return "webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None


_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"GIF8": "gif",
    b"BM": "bmp",
    b"II*\x00": "tiff",
    b"MM\x00*": "tiff",
}
