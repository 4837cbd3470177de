"""Rows as the model will see them: the rendered template in stretches with and without loss, and where it is cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from metier.data import Conversation, ImagePart, Message
from metier.prepare.spec import PrepareSpec
from metier.rendering import Example, Renderer

IMAGE = "[image]"


def preview_rows(
    conversations: Sequence[Conversation], *, renderer: Renderer | None = None, spec: PrepareSpec | None = None
) -> list[dict[str, Any]]:
    """One entry an example: {row, text_segments, cut_at, left_out, tokens, loss_tokens, dropped_turns}.

    text_segments: [{text, loss}] of what the model sees, pictures as `[image]`; cut_at: how many tokens are kept if
    `cutoff_len` cuts the row, else None; left_out: the text behind the cut. A row that gives several examples (each
    answer is one where the template rewrites earlier turns) has several entries. Without a renderer the messages
    themselves are shown, loss on the answers, and nothing is counted.
    """
    spec = spec or PrepareSpec()
    if renderer is None:
        return [_plain(row, spec.train_on_history) for row in conversations]
    return [entry for row in conversations for entry in _rendered(row, renderer, spec)]


def _rendered(row: Conversation, renderer: Renderer, spec: PrepareSpec) -> list[dict[str, Any]]:
    def examples(cutoff_len: int | None) -> list[Example]:
        history, thinking = spec.train_on_history, spec.enable_thinking
        return renderer.examples(row, cutoff_len=cutoff_len, train_on_history=history, enable_thinking=thinking)

    whole, kept = examples(None), examples(spec.cutoff_len)
    entries = []
    for index, example in enumerate(kept):
        full = whole[index].input_ids if len(whole) == len(kept) else example.input_ids
        cut = len(full) > len(example.input_ids) or example.dropped_turns > 0 or example.truncated > 0
        straight = full[: len(example.input_ids)] == example.input_ids
        entries.append(
            {
                "row": row.row,
                "text_segments": _segments(example, renderer),
                "cut_at": len(example.input_ids) if cut else None,
                "left_out": _text(full[len(example.input_ids) :], renderer) if cut and straight else "",
                "tokens": len(example.input_ids),
                "loss_tokens": sum(label >= 0 for label in example.labels),
                "dropped_turns": example.dropped_turns,
            }
        )
    return entries


def _segments(example: Example, renderer: Renderer) -> list[dict[str, Any]]:
    """Runs of tokens with equal loss as text."""
    pairs = zip(example.input_ids, example.labels, strict=True)
    runs = groupby(pairs, key=lambda pair: pair[1] >= 0)
    return [{"text": _text([token for token, _ in run], renderer), "loss": loss} for loss, run in runs]


def _text(ids: list[int], renderer: Renderer) -> str:
    """The text of token ids, special tokens shown, a run of image tokens as one `[image]`."""
    tokenizer = renderer.tokenizer
    text = str(tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))
    picture = getattr(tokenizer, "image_token", None)
    return re.sub(f"(?:{re.escape(picture)})+", IMAGE, text) if isinstance(picture, str) and picture else text


def _plain(row: Conversation, train_on_history: bool) -> dict[str, Any]:
    last = max((place for place, turn in enumerate(row.messages) if turn.role == "assistant"), default=-1)
    segments = []
    for place, turn in enumerate(row.messages):
        loss = turn.role == "assistant" and (train_on_history or place == last)
        segments.append({"text": f"{turn.role}: ", "loss": False})
        segments.append({"text": _words(turn), "loss": loss})
        segments.append({"text": "\n", "loss": False})
    return {"row": row.row, "text_segments": segments, "cut_at": None, "left_out": ""}


def _words(turn: Message) -> str:
    return "".join(IMAGE if isinstance(part, ImagePart) else part.text for part in turn.parts)
