"""Pictures of a set's rows: kept beside them under the sha256 of their bytes, and shown as what was seen in them.

A row's messages name them: `{"role", "content", "parts"}`, where content has `[image]` for a picture, and parts, there
only with pictures, are texts and `{"image": sha256, "width", "height", "size"}`.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metier.core.files import sha256_file
from metier.data import Conversation, ImagePart, Message, Part, TextPart
from metier.data.messages import picture_kind
from metier.data.pictures import open_picture, picture_header

IMAGE = "[image]"
WIDEST = 1600
_SHA256 = re.compile(r"[0-9a-f]{64}")
_JPEG_QUALITY = 90


def messages_said(conversation: Conversation, folder: Path) -> list[dict[str, Any]]:
    """A row's messages as they are kept; its pictures go into `folder`."""
    said = []
    for turn in conversation.messages:
        content = "".join(IMAGE if isinstance(part, ImagePart) else part.text for part in turn.parts)
        one: dict[str, Any] = {"role": turn.role, "content": content}
        if turn.images:
            one["parts"] = [_said(part, folder) if isinstance(part, ImagePart) else part.text for part in turn.parts]
        said.append(one)
    return said


def conversation_of(row: int, messages: Sequence[Mapping[str, Any]], folder: Path) -> Conversation:
    """The row again, its pictures read from `folder`."""
    return Conversation(row, tuple(Message(one["role"], tuple(_parts(one, folder))) for one in messages))


def pictures_of(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The pictures of a row in their order: `image` (the sha256), `width`, `height`, `size`."""
    return [part for one in messages for part in one.get("parts", ()) if isinstance(part, dict)]


def picture_file(folder: Path, sha256: str) -> Path:
    """Where a picture is kept. Raises FileNotFoundError for what is no sha256."""
    if not _SHA256.fullmatch(sha256):
        raise FileNotFoundError(sha256[:80])
    return folder / sha256


def paint(file: str, width: int) -> dict[str, str]:
    """A picture made anew, at most `width` pixels wide, as base64 and `png` or `jpeg`: what else was in its file stays
    behind. What came as JPEG stays JPEG."""
    part = ImagePart(path=file)
    picture = open_picture(part)
    width = max(1, min(width, WIDEST))
    if picture.width > width:
        picture = picture.resize((width, max(1, round(picture.height * width / picture.width))))
    if picture.height > 4 * WIDEST:  # a strip: whole, and small
        picture = picture.resize((max(1, picture.width * 4 * WIDEST // picture.height), 4 * WIDEST))
    target = io.BytesIO()
    with Path(file).open("rb") as source:
        kind = "jpeg" if picture_kind(source.read(16)) == "jpeg" else "png"
    picture.save(target, kind.upper(), **({"quality": _JPEG_QUALITY} if kind == "jpeg" else {}))
    return {"kind": kind, "content": base64.b64encode(target.getvalue()).decode("ascii")}


def _said(part: ImagePart, folder: Path) -> dict[str, Any]:
    header = picture_header(part)
    return {"image": _keep(part, folder), "width": header.width, "height": header.height, "size": header.size}


def _keep(part: ImagePart, folder: Path) -> str:
    """Puts a picture into `folder`, unless it is there, and returns its sha256."""
    if part.path is not None and Path(part.path).parent == folder:
        return Path(part.path).name
    content = part.data
    sha256 = hashlib.sha256(content).hexdigest() if content is not None else sha256_file(Path(part.path or ""))
    target = folder / sha256
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / f".{sha256}.{os.getpid()}"
        if content is not None:
            aside.write_bytes(content)
        else:
            shutil.copyfile(Path(part.path or ""), aside)
        aside.replace(target)
    return sha256


def _parts(one: Mapping[str, Any], folder: Path) -> list[Part]:
    if "parts" not in one:
        return [TextPart(one["content"])]
    return [
        TextPart(part) if isinstance(part, str) else ImagePart(path=str(picture_file(folder, part["image"])))
        for part in one["parts"]
    ]
