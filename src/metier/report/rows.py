"""Rows side by side, within a budget of bytes, so that the page stays small enough to mail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import escape

from metier.rendering.thinking import split_thinking
from metier.report.charts.scale import is_number
from metier.report.inputs import Inputs
from metier.report.scores import SIDES
from metier.report.thumbnails import Thumbnails
from metier.report.tidy import shortened, visible

FIELD_CHARACTERS = 1500
PAGE_BYTES = 600_000
PREVIEWED = 3
PREVIEW_CHARACTERS = 6000
_MARK = re.compile(r"<\|[^|<>\n]{1,40}\|>|</?(?:start|end)_of_turn>|<｜[^<>\n]{1,40}｜>|\[/?INST\]|</?think>")
_ROLE = re.compile(r"^\s*(system|user|assistant|model|tool)\s*\n", re.IGNORECASE)


def rows(inputs: Inputs, limit: int, headline: str | None = None) -> dict[str, Any]:
    """Worst and best rows (`limit` together, fewer when texts are long), and how many of the listed are left out."""
    compare = inputs.compare or {}
    listed = {side: [one for one in compare.get(side) or [] if isinstance(one, dict)] for side in ("worst", "best")}
    shown: dict[str, list[dict[str, Any]]] = {"worst": [], "best": []}
    room = PAGE_BYTES
    thumbnails = Thumbnails(inputs)
    for index in range(max(len(found) for found in listed.values())):
        for side, found in listed.items():
            if index >= len(found) or sum(map(len, shown.values())) >= limit:
                continue
            row = _row(found[index], headline)
            size = sum(_size(row[name]["text"]) + _size(row[name]["thinking"] or "") for name in _FIELDS)
            if size > room:
                room = 0
                continue
            room -= size
            shown[side].append({**row, "pictures": thumbnails.of(found[index])})
    left_out = {side: len(found) - len(shown[side]) for side, found in listed.items()}
    return {**shown, "left_out": left_out, "file": "compare.json"}


_FIELDS = ("prompt", "label", *SIDES)


def _row(row: Mapping[str, Any], headline: str | None) -> dict[str, Any]:
    number = row.get("row", row.get("id"))
    return {
        "row": number,
        "excerpt": excerpt(_words(row.get("prompt"))),
        **{name: _field(_words(row.get(name)), fold=name != "prompt") for name in _FIELDS},
        "read": _read(row),
        "scores": sorted(_scores(row.get("scores")), key=lambda one: one["name"] != headline),
    }


def _field(text: str, *, fold: bool) -> dict[str, Any]:
    """The text to show, the thinking folded away, and how many characters were left out of each."""
    thinking, answer = split_thinking(text) if fold else (None, text)
    shown, left_out = shortened(answer, FIELD_CHARACTERS)
    thought, thought_left_out = shortened(thinking or "", FIELD_CHARACTERS)
    return {
        "text": shown,
        "left_out": left_out,
        "thinking": thought if thinking is not None else None,
        "thinking_left_out": thought_left_out,
    }


def _size(text: str) -> int:
    """Bytes that `text` takes on the page: `<` takes four, a hidden character that is spelled out ten."""
    return len(str(escape(visible(text))).encode("utf-8"))


def _words(value: Any) -> str:
    """A text as it is; of messages and records the text in them."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n\n".join(_words(one) for one in value)
    if isinstance(value, dict):
        role = f"{value['role']}\n" if isinstance(value.get("role"), str) else ""
        known = next((value[key] for key in ("predict", "text", "content") if value.get(key) is not None), "")
        return role + _words(known)
    return str(value)


def _read(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """What was read from both answers, and what was expected, where answers are read for a choice."""
    extracted = row.get("extracted")
    if not isinstance(extracted, dict):
        return None
    return {"gold": row.get("gold"), **{side: extracted.get(side) for side in SIDES}}


def _scores(given: Any) -> list[dict[str, Any]]:
    """`{metric: {base, tuned}}` or `{base: {metric: …}, tuned: {…}}` as a list by metric."""
    if not isinstance(given, dict):
        return []
    if set(given) <= set(SIDES):
        sides = {side: given[side] for side in SIDES if isinstance(given.get(side), dict)}
        names = dict.fromkeys(name for one in sides.values() for name in one)
        given = {name: {side: one.get(name) for side, one in sides.items()} for name in names}
    found = []
    for name, one in given.items():
        pair = one if isinstance(one, dict) else dict(zip(SIDES, one, strict=False)) if isinstance(one, list) else {}
        found.append({"name": name, **{side: pair.get(side) if is_number(pair.get(side)) else None for side in SIDES}})
    return found


def excerpt(prompt: str, limit: int = 160) -> str:
    """The last thing that was asked, on one line, without the template's marks."""
    asked = prompt
    for turn in reversed(_MARK.split(prompt)):
        role = _ROLE.match(turn)
        words = turn[role.end() :] if role else turn
        named = (role.group(1) if role else turn.strip()).lower()
        if words.strip() and named not in ("assistant", "model", "user", "system"):
            asked = words
            break
        if role and named == "user" and words.strip():
            asked = words
            break
    line = " ".join(asked.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def preview(inputs: Inputs) -> list[dict[str, Any]]:
    """The first rows as the model saw them: stretches of text, each with whether its tokens carry loss."""
    shown = []
    for one in inputs.preview[:PREVIEWED]:
        if not isinstance(one, dict):
            continue
        room, segments, left_out = PREVIEW_CHARACTERS, [], 0
        for segment in one.get("text_segments") or []:
            words, cut = shortened(str(segment.get("text", "")), room)
            room -= len(words)
            left_out += cut
            if words:
                segments.append({"text": words, "loss": bool(segment.get("loss"))})
        behind, more = shortened(str(one.get("left_out") or ""), max(0, room))
        shown.append(
            {
                "row": one.get("row"),
                "segments": segments,
                "cut_at": one.get("cut_at"),
                "behind_cut": behind,
                "dropped_turns": one.get("dropped_turns") or 0,
                "characters_left_out": left_out + more,
            }
        )
    return shown
