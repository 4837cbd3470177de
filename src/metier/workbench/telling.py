"""Events as lines of the log: what a terminal would show of a step, for whoever reads along in a browser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from metier.core.i18n import has_text, translate
from metier.core.units import size_text


def line_of(event: dict[str, Any]) -> str:
    """The line that tells an event, or nothing for one that tells a reader nothing."""
    text = _text_of(event)
    return f"{datetime.now(UTC):%H:%M:%S}  {text}" if text else ""


def _text_of(event: dict[str, Any]) -> str:
    kind = event["event"]
    if kind == "attempt":
        return translate("workbench.log_attempt", process=event.get("pid", "?"))
    if kind == "step":
        return f"── {step_label(str(event.get('name', '')))}"
    if kind == "start" and event.get("resumed"):
        return translate("workbench.log_resumed", step=event["resumed"], total=event.get("total", "?"))
    if kind == "progress":
        return _progress(event)
    if kind == "warning":
        return translate("workbench.log_warning", message=event.get("message", ""))
    if kind == "log":
        return str(event.get("message", ""))
    return ""


def step_label(name: str) -> str:
    """A step's name in the current language."""
    key = f"workbench.step_{name}"
    return translate(key) if has_text(key) else name


def _progress(event: dict[str, Any]) -> str:
    if event.get("unit") == "bytes":
        done, total = size_text(event.get("step")), size_text(event.get("total"))
        return translate("workbench.log_fetched", done=done, total=total)
    parts = [f"{event.get('step', '?')}/{event.get('total') or '?'}"]
    for name, form in (
        ("loss", "loss {:.4f}"),
        ("eval_loss", "eval_loss {:.4f}"),
        ("learning_rate", "learning_rate {:.2e}"),
        ("tokens_per_second", "{:.0f} tokens/s"),
    ):
        if isinstance(event.get(name), int | float):
            parts.append(form.format(event[name]))
    if event.get("metric"):
        parts.append(str(event["metric"]))
    return "  ".join(parts)
