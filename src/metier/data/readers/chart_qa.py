"""Tables of questions about pictures: `image`, `question`, `answer`, optional `reasoning`, `options` and `system`.

What scoring needs (unit, tolerance, kinds of question and chart) may stand in columns of these names. Reasoning goes
into the answer as `<think>…</think>`. Several pictures of a row are a list, which in CSV is written as JSON.
"""

from __future__ import annotations

from typing import Any

from metier.data.images import image_parts, place_images
from metier.data.layout import Format, Layout
from metier.data.messages import Conversation, Role
from metier.data.readers.shared import extra_meta, with_reasoning
from metier.data.rows import RawRow

_KEPT = ("kind", "question_type", "chart_type", "unit", "tolerance", "knowledge_domain", "language", "subject")


def read_chart_qa(row: RawRow, layout: Layout) -> Conversation:
    """One record. meta: `answer` as it stands, `options`, and the kept columns that are filled."""
    images = image_parts(row, layout.columns["images"], layout.value(row, "images"), layout.pictures)
    if not images:
        raise row.error("empty_field", field=layout.columns["images"])
    options = _options(row, layout)
    turns: list[tuple[Role, str]] = [("system", system)] if (system := layout.text(row, "system")) else []
    turns.append(("user", "\n".join([layout.filled(row, "prompt"), *options])))
    meta: dict[str, Any] = {
        name: value
        for name, value in extra_meta(row, layout).items()
        if name not in _KEPT or value not in (None, "")
    }  # fmt: skip
    if options:
        meta["options"] = options
    if layout.value(row, "response") is not None:
        answer = _plain(row, layout, "response")
        turns.append(("assistant", with_reasoning(layout.text(row, "reasoning"), answer)))
        meta["answer"] = answer
    return Conversation(row.row, tuple(place_images(row, turns, images)), meta)


def _options(row: RawRow, layout: Layout) -> list[str]:
    value = layout.value(row, "options")
    if isinstance(value, str):
        return [line for line in value.split("\n") if line.strip()]
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(option, str) for option in value):
        raise row.error("bad_options", field=layout.columns["options"])
    return value


def _plain(row: RawRow, layout: Layout, role: str) -> str:
    """Text, or a number as it would be written."""
    value = layout.value(row, role)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    return layout.text(row, role)


CHART_QA = Format(
    name="chart_qa",
    columns={
        "images": "image",
        "prompt": "question",
        "response": "answer",
        "reasoning": "reasoning",
        "options": "options",
        "system": "system",
        "id": "id",
        **{f"meta.{name}": name for name in _KEPT},
    },
    required=("images", "prompt", "response"),
    read=read_chart_qa,
    mappable=("meta",),
)
