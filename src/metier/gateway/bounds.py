"""How much one may ask for. Each bound keeps one request, or one caller, from being a burden to the others."""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from metier.gateway.errors import GatewayError

MOST_BODY_BYTES = 4_000_000
MOST_MESSAGES = 2_000
MOST_TOOLS = 128
MOST_STOPS = 16
LONGEST_STOP = 200
MOST_TOKENS = 1_000_000
MOST_INPUTS = 2_048
_SCHEMA_BYTES, _SCHEMA_DEPTH = 64_000, 16
_SCHEMAS, _SCHEMA_SECONDS = 200, 3600.0
# An engine compiles these into automata or regular expressions; what they may grow to is not known beforehand.
_SCHEMA_REFUSED = ("pattern", "patternProperties", "$dynamicRef", "$recursiveRef")


def check_schema(schema: Any, param: str) -> dict[str, Any]:
    """A JSON schema that an engine may be given: small, flat, without references and regular expressions.

    Raises GatewayError for any other.
    """
    if not isinstance(schema, dict):
        raise GatewayError("gateway.bad_schema", param=param, problem="object")
    if len(json.dumps(schema)) > _SCHEMA_BYTES:
        raise GatewayError("gateway.bad_schema", param=param, problem=f"> {_SCHEMA_BYTES} bytes")
    for depth, key in _keys(schema):
        if depth > _SCHEMA_DEPTH:
            raise GatewayError("gateway.bad_schema", param=param, problem=f"> {_SCHEMA_DEPTH} levels")
        if key in _SCHEMA_REFUSED:
            raise GatewayError("gateway.bad_schema", param=param, problem=key)
    if any(key == "$ref" for _, key in _keys(schema)) and _is_recursive(schema):
        raise GatewayError("gateway.bad_schema", param=param, problem="$ref")
    return schema


def _keys(schema: Any) -> Iterator[tuple[int, str]]:
    """Depth and name of every key."""
    waiting: list[tuple[int, Any]] = [(0, schema)]
    while waiting:
        depth, value = waiting.pop()
        if isinstance(value, dict):
            yield from ((depth, str(key)) for key in value)
            waiting += [(depth + 1, inner) for inner in value.values()]
        elif isinstance(value, list):
            waiting += [(depth + 1, inner) for inner in value]
        elif depth > 4 * _SCHEMA_DEPTH:
            yield depth, ""


def _is_recursive(schema: dict[str, Any]) -> bool:
    """Whether references lead in a circle, or out of the schema."""
    named = {f"#/{part}/{name}": inner for part in ("$defs", "definitions")
             if isinstance(schema.get(part), dict) for name, inner in schema[part].items()}  # fmt: skip
    leads = {name: set(_references(inner)) for name, inner in named.items()}
    if not set(_references(schema)) <= set(named):
        return True
    while leads:
        ends = {name for name, targets in leads.items() if not targets & set(leads)}
        if not ends:
            return True
        leads = {name: targets for name, targets in leads.items() if name not in ends}
    return False


def _references(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("$ref"), str):
                yield one["$ref"]
            waiting += list(one.values())
        elif isinstance(one, list):
            waiting += one


@dataclass(frozen=True)
class Limits:
    """streams: answers that one caller may have open at once; all_streams: of all callers together."""

    streams: int = 128
    all_streams: int = 1024


class Gate:
    """Counts what is open, and the schemas that a caller has brought."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._open: dict[str, int] = {}
        self._schemas: dict[str, OrderedDict[str, float]] = {}

    @property
    def open(self) -> int:
        """Answers that are being written."""
        return sum(self._open.values())

    @contextmanager
    def entered(self, caller: str) -> Iterator[None]:
        """Counts one answer. Raises GatewayError (429) where there are too many."""
        mine = self._open.get(caller, 0)
        if mine >= self.limits.streams:
            raise GatewayError("gateway.too_many", status=429, code="rate_limit_exceeded", most=self.limits.streams)
        if self.open >= self.limits.all_streams:
            raise GatewayError("gateway.full", status=503, code="overloaded")
        self._open[caller] = mine + 1
        try:
            yield
        finally:
            left = self._open[caller] - 1
            if left:
                self._open[caller] = left
            else:
                del self._open[caller]

    def admit_schema(self, caller: str, schema: dict[str, Any]) -> None:
        """Counts a schema: engines keep what they made of each one. Raises GatewayError for too many new ones."""
        digest = hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()
        seen, now = self._schemas.setdefault(caller, OrderedDict()), time.monotonic()
        while seen and next(iter(seen.values())) < now - _SCHEMA_SECONDS:
            seen.popitem(last=False)
        if digest not in seen and len(seen) >= _SCHEMAS:
            raise GatewayError("gateway.many_schemas", param="response_format", most=_SCHEMAS)
        seen.setdefault(digest, now)
