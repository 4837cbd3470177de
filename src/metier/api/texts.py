"""Texts that are whole. JSON can name half a character (`"\\ud800"`); no file, page or answer can hold it."""

from __future__ import annotations

import json
import re

from fastapi import Request

from metier.api.guard import GATEWAY, is_upload
from metier.core.errors import DataError

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")  # of a pair, or by itself


async def whole_texts(request: Request) -> None:
    """Raises DataError for a body of JSON with half a character in it."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("application/json") or is_upload(request.url.path) or request.url.path.startswith(GATEWAY):
        return
    if not _HALF.search(await request.body()):
        return
    try:
        json.dumps(await request.json(), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise DataError("api.half_character") from error
    except (ValueError, RecursionError):
        return  # no JSON: the route says so
