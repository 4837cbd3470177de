"""`Idempotency-Key`: a request that is sent again, because its answer was lost, does nothing a second time.

Answers are kept sealed (some show a key or a link, once), with the ids that they name in front, so that they are
forgotten with what they tell of.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from fastapi import Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from sqlalchemy import delete

from metier.workbench.accounts import Person
from metier.workbench.errors import ConflictError
from metier.workbench.store.tables import Answered, now
from metier.workbench.workbench import Workbench

KEPT_HOURS = 24
_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")
_locks: dict[tuple[str, str], threading.Lock] = {}
_locks_lock = threading.Lock()


def once(
    request: Request, services: Workbench, owner: Person, asked: Any, create: Callable[[], Any], *, status: int = 201
) -> Response:
    """The answer of `create`, or the one that the same key and request got before.

    asked: the request's body. Raises ConflictError where the key came with another request.
    """
    key = request.headers.get("idempotency-key", "")
    if not key:
        return JSONResponse(jsonable_encoder(create()), status)
    body, status = once_for_key(services, owner, key, [request.method, request.url.path, asked], create, status=status)
    return Response(body, status, media_type="application/json")


def once_for_key(
    services: Workbench, owner: Person, key: str, asked: Any, create: Callable[[], Any], *, status: int = 201
) -> tuple[str, int]:
    """What `create` makes as JSON, or what the same key and request made before, and its status. key: of a request,
    or of a form that may be sent twice. Raises ConflictError where the key came with another request."""
    if len(key) > 200:
        raise ConflictError("workbench.key_reused")
    shape = json.dumps(jsonable_encoder(asked), sort_keys=True, ensure_ascii=False)
    mark = hashlib.sha256(shape.encode("utf-8", "surrogatepass")).hexdigest()
    with _one_at_a_time((owner.id, key)):
        with services.database.read() as session:
            kept = session.get(Answered, (owner.id, key))
        if kept is not None:
            if kept.request != mark:
                raise ConflictError("workbench.key_reused")
            kept_body = services.box.open(kept.body.rpartition(" ")[2])
            if kept_body is None:  # the installation has another secret since
                raise ConflictError("workbench.key_reused")
            return kept_body, kept.status
        body = json.dumps(jsonable_encoder(create()), ensure_ascii=False)
        sealed = " ".join([*_ids(shape + body), services.box.seal(body)])
        with services.database.write() as session:
            session.execute(delete(Answered).where(Answered.created < now() - timedelta(hours=KEPT_HOURS)))
            session.add(Answered(owner_id=owner.id, key=key, request=mark, status=status, body=sealed))
    return body, status


def _ids(text: str) -> list[str]:
    return sorted(set(_ID.findall(text)))


@contextmanager
def _one_at_a_time(name: tuple[str, str]) -> Iterator[None]:
    with _locks_lock:
        lock = _locks.setdefault(name, threading.Lock())
    with lock:
        yield
    with _locks_lock:
        if not lock.locked():
            _locks.pop(name, None)
