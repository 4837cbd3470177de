"""Alpaca: `instruction` (+ newline + `input`) is the question, `output` the answer; optional `system`, `history`,
`images`.

The question is joined as LLaMA-Factory does (`AlpacaDatasetConverter`): the parts that are not empty, with a
newline between.
"""

from __future__ import annotations

from typing import Any

from metier.data.images import image_parts, place_images
from metier.data.layout import Format, Layout
from metier.data.messages import Conversation, Role, message
from metier.data.readers.shared import extra_meta, system_with_tools, with_reasoning
from metier.data.rows import RawRow
from metier.data.strictjson import JsonError, parse


def read_alpaca(row: RawRow, layout: Layout) -> Conversation:
    """One record. `<image>` in any text is the next picture of `images`."""
    turns: list[tuple[Role, str]] = []
    system = system_with_tools(row, layout, layout.text(row, "system"))
    if system:
        turns.append(("system", system))
    for question, answer in _history(row, layout):
        turns += [("user", question), ("assistant", answer)]
    turns.append(("user", "\n".join(text for role in ("prompt", "query") if (text := layout.text(row, role)))))
    if layout.value(row, "response") is not None:
        turns.append(("assistant", with_reasoning(layout.text(row, "reasoning"), layout.text(row, "response"))))
    meta = extra_meta(row, layout)
    if "images" not in layout.columns or layout.columns["images"] not in row.values:
        return Conversation(row.row, tuple(message(role, text) for role, text in turns), meta)
    images = image_parts(row, layout.columns["images"], layout.value(row, "images"), layout.pictures)
    return Conversation(row.row, tuple(place_images(row, turns, images)), meta)


def _history(row: RawRow, layout: Layout) -> list[tuple[str, str]]:
    value: Any = layout.value(row, "history")
    if isinstance(value, str) and value.strip():  # tables hold it as JSON
        try:
            value = parse(value)
        except JsonError as problem:
            raise row.error("bad_history", field=layout.columns["history"]) from problem
    if not value:
        return []
    pairs: list[Any] = value if isinstance(value, list) else [None]
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            raise row.error("bad_history", field=layout.columns["history"])
    return [(question, answer) for question, answer in pairs]


ALPACA = Format(
    name="alpaca",
    columns={
        "prompt": "instruction",
        "query": "input",
        "response": "output",
        "system": "system",
        "history": "history",
        "images": "images",
        "tools": "tools",
    },
    required=("prompt", "response"),
    read=read_alpaca,
    mappable=("reasoning", "images", "tools", "meta", "id"),
)

# The names under which `--columns` asks for them: a file that already has them needs no mapping.
PAIRS = Format(
    name="pairs",
    columns={"prompt": "prompt", "query": "query", "response": "response", "system": "system", "history": "history"},
    required=("prompt", "response"),
    read=read_alpaca,
    mappable=("reasoning", "images", "tools", "meta", "id"),
)
