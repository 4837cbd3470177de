"""Every route of the application, found by asking it: pages too, which its public description leaves out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI

from metier.api import health, routes
from metier.web import pages

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Route:
    """One method of one address. body: its schema and media type, where it takes one."""

    method: str
    path: str
    operation: dict[str, Any] = field(repr=False, hash=False, compare=False)

    @property
    def names(self) -> list[str]:
        """The parameters in its address."""
        return re.findall(r"{(\w+)(?::path)?}", self.path)

    @property
    def query(self) -> list[dict[str, Any]]:
        """The parameters behind its address."""
        return [one for one in self.operation.get("parameters", []) if one["in"] == "query"]

    @property
    def asked(self) -> dict[str, Any]:
        """What must stand behind its address."""
        return {one["name"]: _value(one["schema"], one["name"], None) for one in self.query if one.get("required")}

    @property
    def creates(self) -> bool:
        """Whether it makes something new, as it says itself."""
        return self.method == "post" and "201" in self.operation["responses"]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


@cache
def _described() -> dict[str, Any]:
    """The description of an application of the same routes that hides none."""
    app = FastAPI()
    versioned = APIRouter(prefix="/api/v1")
    for router in routes.routers():
        versioned.include_router(router)
    app.include_router(versioned)
    app.include_router(health.router)
    for router in pages.routers():
        app.include_router(router)
    return app.openapi()


@cache
def all_routes() -> tuple[Route, ...]:
    """Every route."""
    return tuple(
        Route(method, path, operation)
        for path, operations in _described()["paths"].items()
        for method, operation in operations.items()
        if method in METHODS
    )


def body_of(route: Route, text: Callable[[str], Any] | None = None) -> dict[str, Any]:
    """Keywords for a client with a body that a route takes. text: what its texts are, by name of the field; left out,
    what its description gives as an example."""
    content = route.operation.get("requestBody", {}).get("content", {})
    for media, described in content.items():
        value = _value(described.get("schema", {}), "", text)
        if media == "application/json":
            return {"json": value}
        if media == "application/x-www-form-urlencoded":
            return {"data": {key: one if isinstance(one, str | list) else str(one) for key, one in value.items()}}
        if media == "multipart/form-data":
            return {"files": dict.fromkeys(value, ("x.jsonl", b"{}\n"))}
    return {}


def _value(schema: dict[str, Any], name: str, text: Callable[[str], Any] | None) -> Any:
    """Something that a schema allows: every field given."""
    if text is None and (schema.get("examples") or schema.get("default")):
        return schema["examples"][0] if schema.get("examples") else schema["default"]
    if "$ref" in schema:
        return _value(_described()["components"]["schemas"][schema["$ref"].rpartition("/")[2]], name, text)
    if "const" in schema or "enum" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _value(next(one for one in schema[several] if one.get("type") != "null"), name, text)
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return {key: _value(one, key, text) for key, one in schema.get("properties", {}).items()}
    if kind == "array":
        least = max(1, schema.get("minItems", 0))
        return [_value(schema.get("items", {}), name, text) for _ in range(least)]
    if kind in ("integer", "number"):
        return schema.get("default", schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1))
    if kind == "boolean":
        return bool(schema.get("default", False))
    return text(name) if text is not None else "x"


def readers() -> Iterator[Route]:
    """What only reads."""
    return (route for route in all_routes() if route.method == "get")
