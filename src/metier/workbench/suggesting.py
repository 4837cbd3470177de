"""Suggestions for a form that its reader confirms: a name from a file's name, roles from columns' names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

# Words that columns of questions and answers are called by, the most telling first. Only ever shown, never assumed.
_WORDS = {
    "messages": ("messages", "conversations", "对话", "聊天记录"),
    "response": ("response", "output", "answer", "reply", "completion", "答复", "回答", "回复", "答案", "解答", "答"),
    "prompt": ("instruction", "prompt", "question", "query", "ask", "咨询", "提问", "问题", "主诉", "问"),
    "query": ("input", "context", "补充", "背景", "病史"),
    "system": ("system", "系统"),
    "reasoning": ("reasoning", "cot", "thinking", "thought", "推理", "思考"),
    "images": ("image", "images", "picture", "pictures", "chart", "图片", "图像", "图表"),
    "id": ("id", "编号", "序号"),
}


def suggest_name(file_name: str, taken: Sequence[str]) -> str:
    """A name that is allowed and free: `病例 2026.xlsx` → `病例-2026`."""
    stem = PurePosixPath(file_name.replace("\\", "/")).name
    while PurePosixPath(stem).suffix and not PurePosixPath(stem).suffix[1:].isdigit():
        stem = PurePosixPath(stem).stem
    name = re.sub(r"[^\w.\-]+", "-", stem).strip("-._")[:56].lower() or "data"
    free = name
    number = 2
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free


def suggest_roles(columns: Sequence[str]) -> dict[str, str]:
    """role → column, by the columns' names; of two columns, the first asks and the second answers."""
    found: dict[str, str] = {}
    for role, words in _WORDS.items():
        left = [column for column in columns if column not in found.values()]
        match = next((column for word in words for column in left if _called(column, word)), None)
        if match is not None:
            found[role] = match
    if "messages" in found:
        return {"messages": found["messages"]}
    left = [column for column in columns if column not in found.values()]
    for role in ("prompt", "response"):
        if role not in found and len(left) == 1:
            found[role] = left.pop()
    if len(columns) == 2 and not {"prompt", "response"} <= set(found):
        return {"prompt": columns[0], "response": columns[1]}
    return found if {"prompt", "response"} <= set(found) else {}


def _called(column: str, word: str) -> bool:
    """Whether a column is called so: a whole word where letters are Latin, a part of it where they are Chinese."""
    if word.isascii():
        return word in re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", column).lower())
    return word in column
