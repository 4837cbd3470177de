"""Rows as the model will see them: the rendered template in stretches with and without loss, and where it is cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from types import SimpleNamespace
from typing import Any

from metier.data import Conversation, ImagePart, Message
from metier.prepare.pictured import pictures_shown
from metier.prepare.spec import PrepareSpec
from metier.rendering import Example, IncrementalDecoder, Renderer

IMAGE = "[image]"


def preview_rows(
    conversations: Sequence[Conversation],
    *,
    renderer: Renderer | None = None,
    spec: PrepareSpec | None = None,
    pieces: bool = False,
) -> list[dict[str, Any]]:
    """One entry an example: {row, text_segments, cut_at, left_out, truncated, tokens, loss_tokens, dropped_turns}.

    text_segments: [{text, loss}] of what the model sees, pictures as `[image]`; cut_at: how many tokens are kept if
    `cutoff_len` cuts the row, else None; left_out: the text behind a cut at the end; truncated: tokens that are cut. A
    row that gives several examples (each answer is one where the template rewrites earlier turns) has several entries.
    pictures, of rows that show some: see `metier.prepare.pictured.pictures_shown`.
    pieces: also the tokens one by one, [{text, ids, loss}], where a character that takes several is one piece, and so
    is a picture.
    Without a renderer the messages themselves are shown, loss on the answers, and nothing is counted.
    """
    spec = spec or PrepareSpec()
    if renderer is None:
        return [_plain(row, spec.train_on_history) for row in conversations]
    return [entry for row in conversations for entry in _rendered(row, renderer, spec, pieces)]


def _rendered(row: Conversation, renderer: Renderer, spec: PrepareSpec, pieces: bool) -> list[dict[str, Any]]:
    options: dict[str, Any] = {"train_on_history": spec.train_on_history, "enable_thinking": spec.enable_thinking}
    whole = renderer.examples(row, **options)
    kept = renderer.examples(row, cutoff_len=spec.cutoff_len, **options)
    shown = pictures_shown(row, renderer)
    pictured = {"pictures": shown} if shown else {}
    entries = []
    for index, example in enumerate(kept):
        length = len(example.input_ids)
        cut = example.truncated > 0 or example.dropped_turns > 0
        left_out = ""
        if cut and len(whole) == len(kept) and whole[index].input_ids[:length] == example.input_ids:
            full = whole[index]
            tail = Example(row.row, full.input_ids[length:], full.labels[length:])
            left_out = "".join(segment["text"] for segment in _segments(tail, renderer))
        entries.append(
            {
                "row": row.row,
                "text_segments": _segments(example, renderer),
                "cut_at": length if cut else None,
                "left_out": left_out,
                "truncated": example.truncated,
                "tokens": length,
                "loss_tokens": sum(label >= 0 for label in example.labels),
                "dropped_turns": example.dropped_turns,
                **({"pieces": _pieces(example, renderer)} if pieces else {}),
                **pictured,
            }
        )
    return entries


def _segments(example: Example, renderer: Renderer) -> list[dict[str, Any]]:
    tokens = _picture_tokens(example, renderer)
    return [{"text": _pictured(segment.text, tokens), "loss": segment.loss} for segment in renderer.segments(example)]


def _pieces(example: Example, renderer: Renderer) -> list[dict[str, Any]]:
    """The tokens with their text, each with the loss that lies on it."""
    whole = SimpleNamespace(decode=lambda ids: renderer.encoder.decode(ids, skip_special_tokens=False))
    pieces: list[dict[str, Any]] = []
    waiting: list[int] = []
    decoder, loss = IncrementalDecoder(whole), False

    def add(text: str) -> None:
        if waiting:
            pieces.append({"text": text, "ids": list(waiting), "loss": loss})
            waiting.clear()

    for token, label in zip(example.input_ids, example.labels, strict=True):
        if (label >= 0) != loss:
            add(decoder.finish())
            loss = label >= 0
        text = decoder.push(token)
        waiting.append(token)
        if text:
            add(text)
    add(decoder.finish())
    return _folded(pieces, _picture_tokens(example, renderer))


def _picture_tokens(example: Example, renderer: Renderer) -> list[str]:
    """The tokens that pictures are written as: the tokenizer's own, and special ones that stand there over and over."""
    token = getattr(renderer.tokenizer, "image_token", None)
    found = [token] if isinstance(token, str) and token else []
    if example.pictures:
        special = set(renderer.tokenizer.added_tokens_decoder)
        ids = example.input_ids
        again = {one for one, two, three in zip(ids, ids[1:], ids[2:], strict=False) if one == two == three}
        found += [renderer.encoder.decode([one], skip_special_tokens=False) for one in sorted(again & special)]
    return list(dict.fromkeys(found))


def _pictured(text: str, tokens: Sequence[str]) -> str:
    """`text` with each run of image tokens as one `[image]`."""
    for token in tokens:
        text = re.sub(f"(?:{re.escape(token)})+", IMAGE, text)
    return text


def _folded(pieces: list[dict[str, Any]], tokens: Sequence[str]) -> list[dict[str, Any]]:
    """The pieces with each run of image tokens as one that says how many they are."""
    folded: list[dict[str, Any]] = []
    for is_picture, run in groupby(pieces, key=lambda piece: piece["text"] in tokens):
        several = list(run)
        if is_picture:
            ids = [one for piece in several for one in piece["ids"]]
            several = [{"text": f"{IMAGE} × {len(ids)}", "ids": ids, "loss": several[0]["loss"]}]
        folded += several
    return folded


def _plain(row: Conversation, train_on_history: bool) -> dict[str, Any]:
    last = max((place for place, turn in enumerate(row.messages) if turn.role == "assistant"), default=-1)
    segments = []
    for place, turn in enumerate(row.messages):
        loss = turn.role == "assistant" and (train_on_history or place == last)
        segments.append({"text": f"{turn.role}: ", "loss": False})
        segments.append({"text": _words(turn), "loss": loss})
        segments.append({"text": "\n", "loss": False})
    shown = pictures_shown(row)
    pictured = {"pictures": shown} if shown else {}
    return {"row": row.row, "text_segments": segments, "cut_at": None, "left_out": "", **pictured}


def _words(turn: Message) -> str:
    return "".join(IMAGE if isinstance(part, ImagePart) else part.text for part in turn.parts)
