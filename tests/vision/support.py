"""Pictured messages, and what transformers' own processor and generate make of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metier.data.messages import ImagePart, Message, TextPart
from metier.data.pictures import open_picture
from tests.support.tiny_vision import drawing


class Talk:
    """Draws pictures into a folder and asks about them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._drawn = 0

    def picture(self, width: int = 64, height: int = 40) -> ImagePart:
        self._drawn += 1
        path = self.folder / f"{self._drawn}.png"
        drawing(width, height, seed=self._drawn).save(path)
        return ImagePart(path=str(path))

    def ask(self, text: str, *sizes: tuple[int, int], answer: str | None = None) -> list[Message]:
        asked = Message("user", (*(self.picture(*size) for size in sizes), TextPart(text)))
        return [asked] if answer is None else [asked, Message("assistant", (TextPart(answer),))]

    def dataset(self, rows: int, *, side: int = 40) -> Path:
        """A file of rows, each a picture, a question and an answer."""
        lines = []
        for number in range(rows):
            part = self.picture(side + 5 * (number % 7), side - 3 * (number % 5))
            messages = [
                {"role": "user", "content": "<image>What is drawn here" + "?" * (number % 4)},
                {"role": "assistant", "content": f"Boxes, {number % 3} of them."},
            ]
            lines.append(json.dumps({"messages": messages, "images": [Path(part.path or "").name]}))
        path = self.folder / "rows.jsonl"
        path.write_text("".join(line + "\n" for line in lines))
        return path


def processed(folder: Path, messages: Sequence[Message], *, generation: bool = True) -> dict[str, Any]:
    """What the model's own processor makes of a conversation."""
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(folder)
    pictures = [open_picture(picture) for turn in messages for picture in turn.images]
    given = [{"role": turn.role, "content": [_part(part) for part in turn.parts]} for turn in messages]
    text = processor.apply_chat_template(given, add_generation_prompt=generation)
    made = processor(
        images=[pictures] if pictures else None, text=[text], add_special_tokens=False, return_tensors="pt"
    )
    return dict(made)


def _part(part: Any) -> dict[str, str]:
    return {"type": "text", "text": part.text} if isinstance(part, TextPart) else {"type": "image"}


def generated(folder: Path, model: Any, messages: Sequence[Message], stops: Sequence[int], tokens: int) -> list[int]:
    """A greedy answer by transformers' own generate, of one conversation alone."""
    return alone(model, processed(folder, messages), stops, tokens)


def alone(
    model: Any, inputs: dict[str, Any], stops: Sequence[int], tokens: int, *, repetition_penalty: float = 1.0
) -> list[int]:
    """A greedy answer by transformers' own generate."""
    output = model.generate(
        **inputs,
        do_sample=False,
        max_new_tokens=tokens,
        eos_token_id=list(stops),
        pad_token_id=stops[0],
        repetition_penalty=repetition_penalty,
    )
    return [int(token) for token in output[0, inputs["input_ids"].shape[1] :]]
