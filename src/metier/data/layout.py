"""Which column of a set plays which role, and which format reads it. Decided by exact names, or asked for; never
guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from metier.core.errors import ConfigError, DataError
from metier.core.registry import nearest
from metier.data.messages import Conversation
from metier.data.picturefiles import PictureFiles
from metier.data.rows import RawRow

Kind = Literal["chat", "text"]
ROLES = (
    "prompt", "query", "response", "label", "reasoning", "system", "history", "messages", "images", "tools",
    "options", "answer", "explanation", "text", "meta", "id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tags:
    """How a chat set names the keys and speakers of its messages (LLaMA-Factory's `tags`; defaults are ShareGPT's)."""

    role: str = "from"
    content: str = "value"
    user: str = "human"
    assistant: str = "gpt"
    observation: str = "observation"
    function: str = "function_call"
    system: str = "system"


OPENAI_TAGS = Tags("role", "content", "user", "assistant", "tool", "function_call", "system")


@dataclass(frozen=True, slots=True)
class Format:
    """A dataset format.

    columns: role → column name as published; required: the roles that each row must have; open: as published, further
    columns may exist (else an unknown column is an unknown set); mappable: roles without a published name that
    `--columns` may give; read: one record to one conversation.
    """

    name: str
    columns: Mapping[str, str]
    required: tuple[str, ...]
    read: Callable[[RawRow, Layout], Conversation]
    open: bool = False
    mappable: tuple[str, ...] = ()
    kind: Kind = "chat"
    tags: Tags = field(default_factory=Tags)


@dataclass(frozen=True, slots=True)
class Layout:
    """A format with the columns of one set.

    pictures: where those that rows name by path are found; exact: no unknown column may come.
    """

    format: Format
    columns: Mapping[str, str]
    tags: Tags
    pictures: PictureFiles
    exact: bool = False

    def value(self, row: RawRow, role: str) -> Any:
        """The record's value in a role, or None."""
        name = self.columns.get(role)
        return None if name is None else row.values.get(name)

    def text(self, row: RawRow, role: str) -> str:
        """The record's text in a role; absent and null are an empty string. Raises DataError for any other type."""
        value = self.value(row, role)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise row.error("field_not_text", field=self.columns[role], kind=type(value).__name__)
        return value

    def filled(self, row: RawRow, role: str) -> str:
        """As `text`, but an empty one is an error."""
        value = self.text(row, role)
        if not value.strip():
            raise row.error("empty_field", field=self.columns[role])
        return value


def parse_columns(text: str) -> dict[str, str]:
    """`prompt=问题,response=回答` as a mapping. Raises ConfigError for anything else."""
    mapping: dict[str, str] = {}
    for part in text.split(","):
        role, equals, column = part.partition("=")
        if not equals or not role.strip() or not column.strip() or role.strip() in mapping:
            raise ConfigError("data.bad_columns", given=text)
        mapping[role.strip()] = column.strip()
    return mapping


def check_roles(columns: Mapping[str, str], known: tuple[str, ...], source: str) -> dict[str, str]:
    """The mapping with `label` (a role's other name) as `response`. Raises ConfigError for an unknown role."""
    for role in columns:
        if role not in known and not role.startswith("meta."):
            hint = nearest(role, list(known))
            raise ConfigError("data.unknown_role", source=source, role=role, hint=hint, known=", ".join(known))
    if "label" in columns and "response" in columns:
        raise ConfigError("data.label_and_response", source=source)
    return {"response" if role == "label" else role: column for role, column in columns.items()}


def check_names(row: RawRow, layout: Layout) -> None:
    """Raises DataError where a record lacks a required column or, in an exact layout, has an unknown one."""
    for role in layout.format.required:
        name = layout.columns[role]
        if name not in row.values:
            raise row.error("missing_field", field=name, found=", ".join(row.values) or "–")
    if layout.exact:
        known = layout.columns.values()
        for name in row.values:
            if name not in known:
                raise row.error("unexpected_field", field=name, format=layout.format.name, known=", ".join(known))


def unknown_columns(path: Path, names: list[str], formats: str) -> DataError:
    """The error for a set whose columns belong to no known format."""
    return DataError("data.unknown_columns", file=path, found=", ".join(names) or "–", formats=formats)
