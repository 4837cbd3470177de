"""Texts in both languages, and numbers as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metier.core.i18n import LANGUAGES, has_text, translate
from metier.report.charts.scale import is_number

Text = dict[str, str]


def text(key: str, **fields: Any) -> Text:
    """The text `report.<key>` in both languages. A field may itself be a text in both languages."""
    return {
        language: translate(
            f"report.{key}",
            language=language,
            **{name: value[language] if isinstance(value, dict) else value for name, value in fields.items()},
        )
        for language in LANGUAGES
    }


def plain(value: str) -> Text:
    """The same words in both languages (names, identifiers)."""
    return dict.fromkeys(LANGUAGES, value)


def as_text(value: Any) -> Text:
    """What another step wrote as `{en, zh}` or as one string, as a text in both languages."""
    if isinstance(value, dict):
        known = [str(value[language]) for language in LANGUAGES if value.get(language)]
        return {language: _capped(value.get(language) or (known[0] if known else "")) for language in LANGUAGES}
    return plain(_capped(value))


def metric_name(name: str) -> Text:
    """The spoken name of a metric, or its identifier where there is none.

    The names are the evaluation's own: one place for the verdict's sentences and this page. Only its catalogue of
    texts is read.
    """
    key = f"evaluate.metric_name.{name}"
    if not has_text(key):
        return plain(_capped(name, 80))
    words = {language: translate(key, language=language) for language in LANGUAGES}
    return {language: _as_heading(one) for language, one in words.items()}


def _as_heading(words: str) -> str:
    """With a capital first, unless the first word has its own (`chrF`)."""
    return words[:1].upper() + words[1:] if words.partition(" ")[0].islower() else words


def _capped(value: Any, limit: int = 2000) -> str:
    words = str(value)
    return words if len(words) <= limit else f"{words[: limit - 1]}…"


def score_text(value: Any, metric: Mapping[str, Any], *, signed: bool = False, unit: bool = True) -> str:
    """A score of `metric`: shares as percent, else three decimals on a scale up to 1 and two on larger ones.

    signed: a difference, with its sign and in points; unit: write the percent sign. `—` if there is no number.
    """
    if not is_number(value):
        return "—"
    share = bool(metric.get("percent"))
    decimals = 1 if share else 3 if metric["maximum"] <= 1 else 2
    written = f"{float(value) * (100 if share else 1):{'+' if signed else ''}.{decimals}f}"
    if written.strip("+-0.") == "":
        written = written.lstrip("+-")
    return written.replace("-", "−") + ("\u202f%" if share and unit and not signed else "")


def proof_figure(value: Any, metric: Mapping[str, Any], currency: str = "") -> str:
    """A score as people read it: shares in percent, else with its unit."""
    if not is_number(value):
        return "—"
    number = float(value)
    if metric["unit"] == "share":
        return f"{100 * number:.1f}"
    if metric["unit"] == "seconds":
        return f"{number:.2f}"
    if metric["unit"] == "money":
        return f"{number:.4g} {currency}".strip()
    return f"{number:,.0f}" if metric["unit"] == "tokens" else f"{number:.1f}"


def count_text(value: Any) -> str:
    """A whole number with thousands grouped; `—` if there is none."""
    return f"{round(float(value)):,}" if is_number(value) else "—"


def duration_text(seconds: Any) -> Text:
    """Seconds as hours, minutes and seconds."""
    if not is_number(seconds):
        return plain("—")
    if float(seconds) < 10:
        return text("duration.seconds", seconds=f"{float(seconds):.1f}")
    minutes, rest = divmod(round(float(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return text("duration.hours", hours=hours, minutes=minutes)
    return (
        text("duration.minutes", minutes=minutes, seconds=rest) if minutes else text("duration.seconds", seconds=rest)
    )


def bytes_text(size: Any) -> str:
    """A size in binary units."""
    if not is_number(size):
        return "—"
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def has_label(key: str) -> bool:
    """Whether the catalogue has a text `report.<key>`."""
    return has_text(f"report.{key}")
