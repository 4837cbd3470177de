"""FinMME (luojunyu/FinMME, MIT): questions about financial charts.

Columns as published: image, question_text, question_type, options, answer, unit, tolerance, verified_caption,
related_sentences, knowledge_domain; further ones may exist. As in the published evaluation, caption and related
sentences stand beside the question and the last line asked for is `Answer: $ANSWER`.
"""

from __future__ import annotations

import math
from typing import Any

from metier.data.images import image_parts
from metier.data.layout import Format, Layout
from metier.data.messages import Conversation, Message, TextPart, message
from metier.data.rows import RawRow

_ASKED = {
    "single_choice": "the letter of the right option",
    "multiple_choice": "the letters of all right options, separated by commas",
    "numerical": "a number without its unit",
}


def read_fin_mme(row: RawRow, layout: Layout) -> Conversation:
    """One record. meta: what the published scoring needs (answer, unit, tolerance, question_type,
    knowledge_domain, options)."""
    kind = layout.filled(row, "question_type").strip()
    if kind not in _ASKED:
        raise row.error(
            "unknown_question_type", field=layout.columns["question_type"], given=kind, known=", ".join(_ASKED)
        )
    images = image_parts(row, layout.columns["image"], layout.value(row, "image"), layout.pictures)
    if not images:
        raise row.error("empty_field", field=layout.columns["image"])
    unit, domain = layout.text(row, "unit"), layout.text(row, "knowledge_domain")
    messages = [Message("user", (*images, TextPart(_question(row, layout, kind, unit))))]
    meta: dict[str, Any] = {
        "kind": "numerical" if kind == "numerical" else "choice",
        "subject": domain,
        "question_type": kind,
        "unit": unit,
        "tolerance": _number(row, layout, "tolerance"),
        "knowledge_domain": domain,
        **({"options": options} if (options := _lines(row, layout, "options")) else {}),
    }
    answer = layout.value(row, "answer")
    if answer is not None:
        meta["answer"] = _plain(row, layout.columns["answer"], answer).strip()
        messages.append(message("assistant", f"Answer: {meta['answer']}" if meta["answer"] else ""))
    return Conversation(row.row, tuple(messages), meta)


def _question(row: RawRow, layout: Layout, kind: str, unit: str) -> str:
    paragraphs = []
    if caption := layout.text(row, "verified_caption").strip():
        paragraphs.append(f"Caption: {caption}")
    if related := _lines(row, layout, "related_sentences"):
        paragraphs.append("Related sentences: " + related)
    paragraphs.append("Question: " + layout.filled(row, "question_text"))
    if options := _lines(row, layout, "options"):
        paragraphs.append("Options:\n" + options)
    asked = _ASKED[kind] + (f" ({unit})" if kind == "numerical" and unit.strip() else "")
    paragraphs.append(f'End with one line "Answer: $ANSWER", where $ANSWER is {asked}.')
    return "\n\n".join(paragraphs)


def _lines(row: RawRow, layout: Layout, role: str) -> str:
    value = layout.value(row, role)
    if isinstance(value, list):
        return "\n".join(_plain(row, layout.columns[role], item) for item in value)
    return layout.text(row, role).strip()


def _plain(row: RawRow, field: str, value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_plain(row, field, item) for item in value)
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return repr(value)
    raise row.error("field_not_text", field=field, kind=type(value).__name__)


def _number(row: RawRow, layout: Layout, role: str) -> float | None:
    value = layout.value(row, role)
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise row.error("bad_tolerance", field=layout.columns[role], given=repr(value)[:40])
    return number


_COLUMNS = (
    "image", "question_text", "question_type", "options", "answer", "unit", "tolerance", "verified_caption",
    "related_sentences", "knowledge_domain",
)  # fmt: skip
FIN_MME = Format(
    name="fin_mme",
    columns={name: name for name in _COLUMNS},
    required=_COLUMNS,
    read=read_fin_mme,
    open=True,
)
