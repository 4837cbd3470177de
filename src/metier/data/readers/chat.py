"""ShareGPT (`conversations` of `from`/`value`) and OpenAI messages (`messages` of `role`/`content`), with any tags.

Tool use stays as published: a `function_call` is an assistant message whose text is the call's JSON, an
`observation` a tool message. OpenAI's `tool_calls` become the same JSON (one call an object, several a list).
"""

from __future__ import annotations

import json
from typing import Any

from metier.data.images import image_part, image_parts, place_images
from metier.data.layout import OPENAI_TAGS, Format, Layout, Tags
from metier.data.messages import Conversation, Message, Part, Role, TextPart, message
from metier.data.readers.shared import extra_meta, system_with_tools
from metier.data.rows import RawRow
from metier.data.strictjson import JsonError, parse

_OPENAI_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


def read_chat(row: RawRow, layout: Layout) -> Conversation:
    """One record. Content is a string (where `<image>` is the next picture of `images`) or a list of content parts."""
    field = layout.columns["messages"]
    messages = [_message(row, layout, turn, number) for number, turn in enumerate(_turns(row, field), 1)]
    own = messages[0].text if messages and messages[0].role == "system" else layout.text(row, "system")
    system = system_with_tools(row, layout, own)
    rest = messages[1:] if messages and messages[0].role == "system" else messages
    messages = [message("system", system), *rest] if system else rest
    meta = extra_meta(row, layout)
    if "images" not in layout.columns or layout.columns["images"] not in row.values:
        return Conversation(row.row, tuple(messages), meta)
    images = image_parts(row, layout.columns["images"], layout.value(row, "images"), layout.pictures)
    if any(turn.images for turn in messages):
        if images:
            raise row.error("images_twice", field=layout.columns["images"])
        return Conversation(row.row, tuple(messages), meta)
    turns = [(turn.role, turn.text) for turn in messages]
    return Conversation(row.row, tuple(place_images(row, turns, images)), meta)


def _turns(row: RawRow, field: str) -> list[Any]:
    value = row.values.get(field)
    if isinstance(value, str) and value.strip():  # tables hold it as JSON
        try:
            value = parse(value)
        except JsonError as problem:
            raise row.error("messages_not_list", field=field, kind="str") from problem
    if not isinstance(value, list):
        raise row.error("messages_not_list", field=field, kind=type(value).__name__)
    return value


def _message(row: RawRow, layout: Layout, turn: Any, number: int) -> Message:
    tags = layout.tags
    if not isinstance(turn, dict) or tags.role not in turn or (tags.content not in turn and "tool_calls" not in turn):
        found = ", ".join(turn) if isinstance(turn, dict) else type(turn).__name__
        raise row.error("bad_message", number=number, wanted=f"{tags.role}, {tags.content}", found=found or "–")
    role = _role(row, tags, turn[tags.role], number)
    parts = _parts(row, layout, turn.get(tags.content), number)
    calls = turn.get("tool_calls")
    if calls:
        return Message(role, (*(part for part in parts if part != TextPart("")), TextPart(_calls(row, calls, number))))
    return Message(role, parts)


def _role(row: RawRow, tags: Tags, name: Any, number: int) -> Role:
    roles: dict[str, Role] = {
        **(_OPENAI_ROLES if tags == OPENAI_TAGS else {}),
        tags.system: "system",
        tags.user: "user",
        tags.observation: "tool",
        tags.assistant: "assistant",
        tags.function: "assistant",
    }
    if not isinstance(name, str) or name not in roles:
        raise row.error("unknown_speaker", number=number, found=repr(name)[:40], known=", ".join(roles))
    return roles[name]


def _parts(row: RawRow, layout: Layout, content: Any, number: int) -> tuple[Part, ...]:
    if content is None:
        return (TextPart(""),)
    if isinstance(content, str):
        return (TextPart(content),)
    if not isinstance(content, list):
        raise row.error("bad_content", number=number, found=type(content).__name__)
    return tuple(_part(row, layout, part, number) for part in content)


def _part(row: RawRow, layout: Layout, part: Any, number: int) -> Part:
    """A content part as OpenAI (`text`, `image_url`) or transformers (`image` with path, url or base64) write it."""
    kind = part.get("type") if isinstance(part, dict) else type(part).__name__
    if kind == "text" and isinstance(part.get("text"), str):
        return TextPart(part["text"])
    if kind == "image_url":
        address = part.get("image_url")
        return image_part(
            row, "image_url", address.get("url") if isinstance(address, dict) else address, layout.pictures
        )
    if kind == "image":
        value = next((part[key] for key in ("image", "path", "url") if part.get(key)), None)
        return image_part(row, "image", value, layout.pictures)
    raise row.error("bad_content", number=number, found=kind)


def _calls(row: RawRow, calls: Any, number: int) -> str:
    published = []
    for call in calls if isinstance(calls, list) else [calls]:
        function = call.get("function", call) if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise row.error("bad_content", number=number, found="tool_calls")
        arguments = function.get("arguments", {})
        if isinstance(arguments, str):
            try:
                arguments = parse(arguments)
            except JsonError as problem:
                raise row.error("bad_content", number=number, found="tool_calls.arguments") from problem
        published.append({"name": function["name"], "arguments": arguments})
    return json.dumps(published[0] if len(published) == 1 else published, ensure_ascii=False)


_COLUMNS = {"system": "system", "tools": "tools", "images": "images", "id": "id"}
SHAREGPT = Format(
    name="sharegpt",
    columns={"messages": "conversations", **_COLUMNS},
    required=("messages",),
    read=read_chat,
    mappable=("meta",),
)
OPENAI = Format(
    name="openai",
    columns={"messages": "messages", **_COLUMNS, "meta": "meta"},
    required=("messages",),
    read=read_chat,
    tags=OPENAI_TAGS,
)
