"""The form of a specialist: what a browser sends, as the values of its spec."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.datastructures import FormData

_SWITCHES = ("rules.cite", "rules.abstain", "retrieval.rewrite")
_NAMES = ("knowledge", "tools")  # several boxes of one name
_LINES = ("examples",)  # one a line
_THINKING = {"": None, "true": True, "false": False}


def values_of(form: FormData, before: dict[str, Any]) -> dict[str, Any]:
    """The values of a whole specialist. before: those of the version that the form showed; what the form has no field
    for stays as it is there."""
    values = {key: dict(one) if isinstance(one, dict) else one for key, one in before.items()}
    for key in form:
        if key not in (*_NAMES, *_LINES, *_SWITCHES, "enable_thinking", "model", "urgent_words") and "." in key:
            _put(values, key, str(form[key]).replace("\r\n", "\n"))
    for key in ("name", "system_prompt"):
        if key in form:
            values[key] = str(form[key]).replace("\r\n", "\n").strip()
    for key in _NAMES:
        values[key] = [str(one) for one in form.getlist(key)]
    for key in _LINES:
        values[key] = _lines(str(form.get(key, "")))
    for key in _SWITCHES:
        _put(values, key, key in form)
    values["enable_thinking"] = _THINKING.get(str(form.get("enable_thinking", "")))
    values |= _model(str(form.get("model", "")), before)
    if not str((values.get("server") or {}).get("address", "")).strip():
        values["server"] = None
    _put(values, "rules.escalate", _escalations(form))
    return values


def _model(reference: str, before: dict[str, Any]) -> dict[str, Any]:
    """A chosen model: a base by name, or what a run has trained as an adapter on it."""
    if reference.startswith("run:"):
        return {"model_name_or_path": before["model_name_or_path"], "adapter_name_or_path": reference}
    return {"model_name_or_path": reference or before["model_name_or_path"], "adapter_name_or_path": None}


def _escalations(form: FormData) -> list[dict[str, Any]]:
    """Each row of the form with words in it."""
    rows = zip(form.getlist("urgent_words"), form.getlist("urgent_en"), form.getlist("urgent_zh"), strict=False)
    return [
        {"when": words, "say": {"en": str(en), "zh": str(zh)}} for given, en, zh in rows if (words := _words(given))
    ]


def _words(given: Any) -> list[str]:
    parts = str(given).replace("，", ",").replace("、", ",").replace("\n", ",").split(",")
    return [part.strip() for part in parts if part.strip()]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    for name in path:
        inner = values.get(name)
        values[name] = dict(inner) if isinstance(inner, dict) else {}
        values = values[name]
    values[last] = value


def choices(wanted: Iterable[str], known: Iterable[str]) -> list[tuple[str, bool]]:
    """Names to tick: those that are known, and what was chosen and is not there any more, each with its mark."""
    chosen = list(wanted)
    return [(name, name in chosen) for name in dict.fromkeys([*known, *chosen])]
