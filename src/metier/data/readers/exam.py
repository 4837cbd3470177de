"""Exams with choices: `question`, `options`, `answer` (letters), optional `explanation`.

The question is followed by its options, one a line; the answer reads `答案：D` (`Answer: D` where the question has no
Chinese) and then the explanation. Letters are put before options that have none.
"""

from __future__ import annotations

import re
from typing import Any

from metier.data.layout import Format, Layout
from metier.data.messages import Conversation, message
from metier.data.readers.shared import extra_meta
from metier.data.rows import RawRow

_LETTERED = re.compile(r"\s*[(（]?([A-Z])[\s.．、:：)）]")  # "A. …", "(A) …", "A …"
_LOOSE = re.compile(r"\s*([A-Z])")  # "A…" and a bare "A": only believed where the options run A, B, C, …
_NOTHING = ("", "nan", "none", "null")  # how tables write an empty explanation


def read_exam(row: RawRow, layout: Layout) -> Conversation:
    """One record. meta: `answer` (letters), `kind` `choice`, `language`. Raises DataError for an answer not in the
    options.
    """
    question = layout.filled(row, "prompt")
    options, letters = _options(row, layout.columns["options"], layout.value(row, "options"))
    chinese = any("\u4e00" <= character <= "\u9fff" for character in question)
    messages = [message("system", system)] if (system := layout.text(row, "system")) else []
    messages.append(message("user", "\n".join([question, *options])))
    meta: dict[str, Any] = {**extra_meta(row, layout), "kind": "choice", "language": "zh" if chinese else "en"}
    if layout.value(row, "answer") is not None:
        answer = _answer(row, layout.columns["answer"], layout.text(row, "answer"), letters)
        explanation = layout.text(row, "explanation")
        text = f"答案：{answer}" if chinese else f"Answer: {answer}"
        if explanation.strip().lower() not in _NOTHING:
            text += f"\n\n{explanation}"
        messages.append(message("assistant", text))
        meta["answer"] = answer
    return Conversation(row.row, tuple(messages), meta)


def _options(row: RawRow, field: str, value: Any) -> tuple[list[str], str]:
    """Lines to show and the letters they carry, in order."""
    if isinstance(value, str):
        value = [line for line in value.split("\n") if line.strip()]
    elif isinstance(value, dict):
        value = [f"{letter}. {text}" for letter, text in value.items()]
    if not isinstance(value, list) or not value or not all(isinstance(option, str) for option in value):
        raise row.error("bad_options", field=field)
    letters = "".join(chr(ord("A") + index) for index in range(len(value)))
    if _leading(_LOOSE, value) == letters:
        return value, letters
    given = _leading(_LETTERED, value)
    if len(given) == len(set(given)) == len(value):
        return value, given
    return [f"{letter}. {option}" for letter, option in zip(letters, value, strict=True)], letters


def _leading(pattern: re.Pattern[str], options: list[str]) -> str:
    return "".join(match.group(1) for option in options if (match := pattern.match(option)))


def _answer(row: RawRow, field: str, text: str, letters: str) -> str:
    answer = re.sub(r"[\s,，、;；]", "", text).upper()
    if not answer or not set(answer) <= set(letters) or len(set(answer)) != len(answer):
        raise row.error("bad_choice", field=field, given=text[:40], letters=f"{letters[0]}–{letters[-1]}")
    return answer


EXAM = Format(
    name="exam",
    columns={
        "prompt": "question",
        "options": "options",
        "answer": "answer",
        "explanation": "explanation",
        "system": "system",
    },
    required=("prompt", "options", "answer"),
    read=read_exam,
    mappable=("meta", "id"),
)
