"""The dataset formats. A new one is a module in `readers/` with a `Format` in it, and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from metier.core.errors import ConfigError, DataError
from metier.core.registry import Registry
from metier.data.layout import OPENAI_TAGS, ROLES, Format, Layout, Tags, check_roles, unknown_columns
from metier.data.picturefiles import PictureFiles
from metier.data.rows import RawRow

FORMATS: Registry[Format] = Registry(
    "dataset format",
    {
        "exam": "metier.data.readers.exam:EXAM",
        "medical_o1_sft": "metier.data.readers.medical_o1:MEDICAL_O1_SFT",
        "fin_mme": "metier.data.readers.fin_mme:FIN_MME",
        "chart_qa": "metier.data.readers.chart_qa:CHART_QA",
        "sharegpt": "metier.data.readers.chat:SHAREGPT",
        "openai": "metier.data.readers.chat:OPENAI",
        "alpaca": "metier.data.readers.alpaca:ALPACA",
        "pairs": "metier.data.readers.alpaca:PAIRS",
        "text": "metier.data.readers.plain:TEXT",
    },
)


def decide_layout(
    first: RawRow,
    *,
    pictures: PictureFiles,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    tags: Tags | None = None,
    require_answers: bool = True,
) -> Layout:
    """The layout of a set from its first record and what the user or a registry entry says about it.

    With `columns`, only the mapped columns are read, and required ones keep their published names; without it all
    published names of the format are. With neither `format` nor `columns`, the exact set of columns must be a known
    one.
    """
    if format is not None:
        chosen = FORMATS.get(format)
    elif columns:
        chosen = _by_mapping(first, check_roles(columns, ROLES, "columns"), require_answers)
    else:
        chosen = _by_names(first, require_answers)
    if not require_answers:
        chosen = _without_answer(chosen)
    used = dict(chosen.columns)
    if columns:
        given = check_roles(columns, tuple(dict.fromkeys([*chosen.columns, *chosen.mappable, "label"])), "columns")
        used = {role: used[role] for role in chosen.required} | given
    exact = format is None and not columns and not chosen.open
    return Layout(chosen, used, tags or chosen.tags, pictures, exact)


def _without_answer(chosen: Format) -> Format:
    return replace(chosen, required=tuple(role for role in chosen.required if role not in ("response", "answer")))


def _by_names(first: RawRow, require_answers: bool) -> Format:
    names = set(first.values)
    refuse_untrainable(first)
    for name in FORMATS:
        chosen = FORMATS.get(name)
        wanted = chosen if require_answers else _without_answer(chosen)
        required = {chosen.columns[role] for role in wanted.required}
        if required <= names and (chosen.open or names <= set(chosen.columns.values())):
            return _by_message_keys(first, chosen) if "messages" in chosen.required else chosen
    raise unknown_columns(first.file, list(first.values), ", ".join(FORMATS))


def _by_mapping(first: RawRow, columns: Mapping[str, str], require_answers: bool) -> Format:
    for name in FORMATS:
        chosen = FORMATS.get(name)
        wanted = chosen if require_answers else _without_answer(chosen)
        if name not in ("fin_mme", "chart_qa", "pairs") and set(wanted.required) <= set(columns):
            if "messages" in columns:
                return _by_message_keys(first, chosen, columns["messages"])
            return chosen
    raise ConfigError("data.incomplete_columns", given=", ".join(f"{role}={name}" for role, name in columns.items()))


def _by_message_keys(first: RawRow, chosen: Format, column: str | None = None) -> Format:
    """ShareGPT or OpenAI by the keys of the first message: `from`/`value` or `role`/`content`, nothing else."""
    column = column or chosen.columns["messages"]
    turns = first.values.get(column)
    keys = list(turns[0]) if isinstance(turns, list) and turns and isinstance(turns[0], dict) else []
    if {"role", "content"} <= set(keys) or {"role", "tool_calls"} <= set(keys):
        decided = FORMATS.get("openai")
    elif {"from", "value"} <= set(keys):
        decided = FORMATS.get("sharegpt")
    elif not keys:
        return chosen  # not a list of messages: its reader names the row
    else:
        raise first.error("unknown_message_keys", field=column, found=", ".join(keys))
    return replace(decided, columns={**decided.columns, "messages": column})


def refuse_untrainable(first: RawRow) -> None:
    """Raises DataError for a set of pairs or verdicts (preference training), which cannot be trained yet."""
    names = set(first.values)
    if {"chosen", "rejected"} <= names:
        raise DataError("data.untrainable", name=first.file, kind="DPO (chosen / rejected)")
    if isinstance(first.values.get("label", first.values.get("kto_tag")), bool):
        raise DataError("data.untrainable", name=first.file, kind="KTO (true / false)")


def tags_of(values: Mapping[str, Any], formatting: str) -> Tags:
    """Tags from a registry entry's `tags`, on top of the format's defaults."""
    base = OPENAI_TAGS if formatting == "openai" else Tags()
    known = {
        f"{name}_tag": name for name in ("role", "content", "user", "assistant", "observation", "function", "system")
    }
    return replace(base, **{known[key]: str(value) for key, value in values.items() if key in known})
